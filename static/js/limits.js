// A browser cuts what is pasted at maxlength and says nothing. Here the whole text stays, and the server says what is
// too long; without a script the cut is at least seen while one types.
function lift(field) {
  if (field?.matches?.("input[maxlength], textarea[maxlength]")) field.removeAttribute("maxlength");
}

document.addEventListener("focusin", ({ target }) => lift(target));
lift(document.activeElement);
