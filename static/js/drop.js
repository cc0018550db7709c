// A form that takes dropped files: they are chosen and sent; what is too large is said before it is sent.
const formOf = (event) => event.target.closest?.("form[data-drop]");

function refusal(form) {
  const largest = Number(form.dataset.maxBytes);
  const files = [...form.querySelector("input[type=file]").files];
  const large = files.find((file) => file.size > largest);
  return large ? `${large.name} is larger than ${Math.round(largest / 1048576)} MB: split it, each part with the header line` : "";
}

function isFine(form) {
  const said = refusal(form);
  const note = form.querySelector("[data-drop-error]");
  note.textContent = said;
  note.hidden = !said;
  return !said;
}

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    const form = formOf(event);
    if (!form) return;
    event.preventDefault();
    form.classList.add("is-over");
  });
}

document.addEventListener("dragleave", (event) => formOf(event)?.classList.remove("is-over"));

document.addEventListener("drop", (event) => {
  const form = formOf(event);
  if (!form) return;
  event.preventDefault();
  form.classList.remove("is-over");
  form.querySelector("input[type=file]").files = event.dataTransfer.files;
  if (isFine(form)) form.requestSubmit();
});

document.addEventListener("change", (event) => {
  const form = formOf(event);
  if (form) isFine(form);
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-drop]") && !isFine(event.target)) event.preventDefault();
});
