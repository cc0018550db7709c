// Editing in place. The cell's link asks for its editor (hx-get); this adds focus, Esc, Tab and what failed.
const shownBefore = new WeakMap();
let returnTo = null;

const cellOf = (element) => element?.closest?.("[data-cell]");

function remember(cell) {
  if (cell && !cell.querySelector("[data-cell-form]")) shownBefore.set(cell, cell.innerHTML);
}

function leave(cell) {
  const before = shownBefore.get(cell);
  if (before === undefined) return;
  // Removing the field takes its focus, which must not count as leaving it to save.
  const form = cell.querySelector("[data-cell-form]");
  if (form) form.dataset.left = "";
  cell.innerHTML = before;
  window.htmx.process(cell);
  cell.querySelector("a, button")?.focus();
}

function place(cell) {
  const row = cell.closest("tr");
  return row?.id ? { row: row.id, column: cell.cellIndex } : null;
}

function focusPlace({ row, column }) {
  document.getElementById(row)?.cells[column]?.querySelector("a, button")?.focus();
}

// Before the request begins, so that what is remembered bears no mark of it.
document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (sourceElement.matches(".cell-value")) remember(cellOf(sourceElement));
});

// An editor is sent once. Being replaced by the answer takes its focus, and a second Enter may come meanwhile.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.matches("[data-cell-form][hx-post]")) return;
    if ("sent" in form.dataset) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    form.dataset.sent = "";
  },
  true,
);

document.addEventListener("htmx:before:request", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (sourceElement.matches("[data-cell-form]")) {
    const cell = cellOf(sourceElement);
    cell?.classList.add("is-saving");
    cell?.setAttribute("aria-busy", "true");
    if (cell) returnTo = place(cell);
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  // Once its source is gone, htmx names the swapped element as the source.
  const form = cellOf(ctx.sourceElement)?.querySelector("[data-cell-form]");
  if (form && !ctx.sourceElement.matches("[data-cell-input]")) {
    const input = form.querySelector("[data-cell-input]");
    input?.focus();
    input?.select?.();
  } else if (returnTo && ctx.response?.status < 400 && ctx.request?.method === "POST") {
    focusPlace(returnTo);
    returnTo = null;
  }
});

document.addEventListener("htmx:finally:request", (event) => {
  for (const cell of document.querySelectorAll("[data-cell].is-saving")) {
    cell.classList.remove("is-saving");
    cell.removeAttribute("aria-busy");
  }
  const { ctx } = event.detail;
  if (!ctx.response || ctx.response.status >= 400) delete ctx.sourceElement.dataset?.sent;
  const failed = !ctx.response || ctx.response.status >= 500;
  if (failed && ctx.sourceElement.matches("[data-cell-form]")) notSaved(ctx.sourceElement);
});

function notSaved(form) {
  const note = form.querySelector(".cell-note");
  const input = form.querySelector("[data-cell-input]");
  if (!note) return;
  const text = document.createElement("span");
  text.className = "bad";
  text.textContent = "Not saved. Press Enter to try again.";
  note.replaceChildren(text);
  input?.setAttribute("aria-invalid", "true");
}

document.addEventListener("keydown", (event) => {
  const cell = cellOf(event.target);
  if (!cell || !event.target.closest("[data-cell-form]")) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    // What stood here before is no longer true: to leave a conflict is to leave what the other wrote.
    const keep = cell.querySelector("[name=keep], [data-keep]");
    if (keep) keep.click();
    else leave(cell);
  }
  if (event.key === "Enter" && event.target.matches("select")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// Leaving an untouched editor closes it; a changed one is saved, as Tab does in a spreadsheet.
document.addEventListener("focusout", (event) => {
  const form = event.target.closest?.("[data-cell-form]");
  if (!form?.isConnected || "left" in form.dataset || "sent" in form.dataset) return;
  if (form.contains(event.relatedTarget)) return;
  const input = form.querySelector("[data-cell-input]");
  if (!input || cellOf(form)?.classList.contains("is-saving")) return;
  const untouched = input.matches("select")
    ? [...input.options].every((option) => option.selected === option.defaultSelected)
    : input.value === input.defaultValue;
  if (untouched && !input.matches('[aria-invalid="true"]') && shownBefore.has(cellOf(form))) {
    const cell = cellOf(form);
    cell.innerHTML = shownBefore.get(cell);
    window.htmx.process(cell);
  } else if (!untouched && form.checkValidity()) {
    form.requestSubmit();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-cell-input]") && event.target.dataset.byMouse) event.target.form.requestSubmit();
});

document.addEventListener("pointerdown", (event) => {
  if (event.target.matches?.("select[data-cell-input]")) event.target.dataset.byMouse = "1";
});
