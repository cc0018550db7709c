// Today: a key opens an answer's form and Esc closes it, one answer is sent at a time, the next deal gets the focus.
const card = () => document.querySelector("[data-today]");
const openers = () => [...document.querySelectorAll("[data-today-form]")];
const formOf = (opener) => document.getElementById(`today-${opener.dataset.todayForm}`);

function show(wanted) {
  for (const opener of openers()) {
    const isWanted = opener.dataset.todayForm === wanted;
    opener.setAttribute("aria-expanded", String(isWanted));
    const form = formOf(opener);
    if (form) form.hidden = !isWanted;
  }
}

function focusForm(form) {
  const field = form.querySelector("[aria-invalid]") ?? form.querySelector("input:not([type=hidden], [type=checkbox]), select");
  field?.focus();
  field?.select?.();
  // On a phone the bar of places lies over the lower edge.
  form.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-today-form]");
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const form = formOf(opener);
  const isOpen = !form.hidden;
  show(isOpen ? "" : opener.dataset.todayForm);
  if (isOpen) card()?.focus({ preventScroll: true });
  else focusForm(form);
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.(".today-form");
  if (!form) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    show("");
    card()?.focus({ preventScroll: true });
  } else if (event.key === "Enter" && event.target.matches("select")) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// A second keystroke must not answer the same deal again while the first is under way.
const isAnswer = (element) => element.matches?.(".today-queue form[hx-post]");
let isSending = false;

document.addEventListener(
  "submit",
  (event) => {
    if (!isAnswer(event.target)) return;
    if (isSending) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    isSending = true;
  },
  true,
);

// The next deal may be answered as soon as it stands there, or when nothing came.
for (const name of ["htmx:before:swap", "htmx:finally:request"]) {
  document.addEventListener(name, ({ detail }) => {
    if (detail.ctx.request?.method === "POST") isSending = false;
  });
}

// What was done before stands in the list of today, each with its own Undo; one toast is enough.
function keepLatestToast() {
  const toasts = [...document.querySelectorAll("#toasts [data-toast]:not(.toast-error)")];
  for (const toast of toasts.slice(0, -1)) toast.remove();
}

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.target?.id !== "main" && !ctx.sourceElement?.closest?.("#main")) return;
  keepLatestToast();
  if (document.activeElement?.closest?.(".today-form")) return;
  const form = document.querySelector(".today-form:not([hidden])");
  if (form) focusForm(form);
  else (card() ?? document.getElementById("main"))?.focus();
  card()?.scrollIntoView({ block: "nearest" });
});
