// Forms with data-submit-on-change go off by themselves; empty fields are left out of the address.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  form?.requestSubmit();
});

document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  for (const field of event.target.elements) {
    if (field.name && field.value === "" && !field.required) field.disabled = true;
  }
});

// Going back shows the page again with its fields usable.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[method=get] :disabled[name]")) field.disabled = false;
});
