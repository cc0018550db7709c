// The list of deals as a spreadsheet: type into a cell, Enter goes down, Tab right; what is written shows at once and
// rolls back when it is refused. Blocks of cells are in cell-block.js.
const table = document.querySelector("table[data-grid]");
const shownBefore = new WeakMap();
const STEPS = { Enter: [1, 0], "Shift+Enter": [-1, 0], Tab: [0, 1], "Shift+Tab": [0, -1] };
let typing = null;

const rowsOf = () => [...table.querySelectorAll("tbody tr[id^='deal-']")];
const cellOf = (element) => element?.closest?.("table[data-grid] tbody td");
const isEditing = (cell) => Boolean(cell?.querySelector("[data-cell-form]"));
const isText = (cell) => !["amount", "date", "choice"].includes(table.tHead.rows[0].cells[cell.cellIndex]?.dataset.kind);

function focusCell(cell) {
  const stop = cell?.querySelector("[data-cell-input], a, button");
  stop?.focus();
  cell?.closest("tr").scrollIntoView({ block: "nearest" });
  return Boolean(stop);
}

// The next cell that way which holds something to stand on.
function neighbour(cell, [down, right]) {
  const rows = rowsOf();
  let row = rows.indexOf(cell.closest("tr")) + down;
  let column = cell.cellIndex + right;
  for (; rows[row]?.cells[column]; row += down, column += right) {
    const next = rows[row].cells[column];
    if (column > 0 && next.querySelector("a, button, [data-cell-input]")) return next;
    if (!down && !right) return null;
  }
  return null;
}

async function send(url, body, headers = {}) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const common = { "HX-Request": "true", "HX-Current-URL": window.location.href, "X-CSRFToken": token };
  const method = body === undefined ? "GET" : "POST";
  try {
    const answer = await fetch(url, { method, body, headers: { ...common, ...headers } });
    return { status: answer.status, text: answer.redirected ? "" : await answer.text() };
  } catch {
    return { status: 0, text: "" };
  }
}

// toast.js has the words for what can't be shown in a cell.
function tell(status) {
  const name = status ? "htmx:response:error" : "htmx:error";
  document.dispatchEvent(new CustomEvent(name, { detail: { ctx: { response: { status } } } }));
}

function fill(cell, html) {
  cell.innerHTML = html;
  window.htmx.process(cell);
}

function leave(cell) {
  const form = cell.querySelector("[data-cell-form]");
  if (form) form.dataset.left = "";
  fill(cell, shownBefore.get(cell));
  cell.classList.remove("is-refused");
}

// Cells whose editor is on its way: their row may be drawn meanwhile, and what is typed into them must not go with it.
const opening = new Set();

async function edit(cell) {
  const link = cell.querySelector("a.cell-value");
  if (!link) return;
  shownBefore.set(cell, cell.innerHTML);
  const seen = cell.dataset.v ?? "";
  opening.add(cell);
  const answer = await send(`${link.getAttribute("href")}?was=${encodeURIComponent(seen)}`);
  opening.delete(cell);
  const typed = typing?.cell === cell ? typing : null;
  typing = null;
  if (answer.status !== 200) return tell(answer.status);
  if (typed?.left || !cell.isConnected) return;
  fill(cell, answer.text);
  const input = cell.querySelector("[data-cell-input]");
  input.focus();
  input.select?.();
  if (typed) begin(cell, input, typed, seen);
}

// What was typed before the editor stood there goes into it; it was meant for the value that was seen.
function begin(cell, input, typed, seen) {
  const form = input.form;
  if (form.elements.was) form.elements.was.value = seen;
  if (input.matches("select")) {
    const start = typed.text.toLowerCase();
    const found = [...input.options].find((option) => option.text.toLowerCase().startsWith(start));
    if (found) input.value = found.value;
  } else {
    input.value = typed.text;
    input.setSelectionRange(typed.text.length, typed.text.length);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (typed.step) submit(cell, form, typed.step);
}

function submit(cell, form, step) {
  form.dataset.step = JSON.stringify(step);
  form.requestSubmit();
}

async function save(cell, form, submitter) {
  const body = new FormData(form, submitter);
  const input = form.querySelector("[data-cell-input]");
  const mine = input.matches("select") ? input.selectedOptions[0]?.text : input.value.trim();
  const step = JSON.parse(form.dataset.step ?? "[0,0]");
  delete form.dataset.step;
  form.dataset.left = "";
  show(cell, submitter?.dataset.shows ?? mine);
  focusCell(neighbour(cell, step) ?? cell);
  const answer = await send(form.getAttribute("action"), body);
  settle(cell);
  const parts = answer.status === 200 ? partsOf(answer.text) : null;
  if (parts) {
    draw(cell.closest("tr"), parts.row);
    parts.toasts.forEach((toast) => document.getElementById("toasts").append(toast));
  } else if ([409, 422].includes(answer.status)) {
    rollBack(cell, answer.text, answer.status === 409);
  } else {
    retry(cell, form, answer.status);
  }
}

// At once what will stand there, in grey until the server has it.
function show(cell, text) {
  if (isEditing(cell)) fill(cell, shownBefore.get(cell));
  else shownBefore.set(cell, cell.innerHTML);
  const place = cell.querySelector(".cell-value, .cell-line > a") ?? cell;
  place.textContent = text || "–";
  cell.classList.remove("is-refused");
  cell.classList.add("is-saving");
  cell.setAttribute("aria-busy", "true");
}

function settle(cell) {
  cell.classList.remove("is-saving");
  cell.removeAttribute("aria-busy");
}

// Refused: the value is as before on the server, and the editor is back with what was typed and why not.
function rollBack(cell, html, isConflict) {
  fill(cell, html);
  cell.classList.add("is-refused");
  cell.closest("tr").classList.toggle("is-conflict", isConflict);
  if (!isEditing(cellOf(document.activeElement))) cell.querySelector("[data-cell-input]")?.focus();
}

function retry(cell, form, status) {
  for (const name of ["sent", "left"]) delete form.dataset[name];
  cell.replaceChildren(form);
  cell.classList.add("is-refused");
  const input = form.querySelector("[data-cell-input]");
  input.setAttribute("aria-invalid", "true");
  const said = Object.assign(document.createElement("span"), { className: "bad" });
  said.textContent = "Not saved. Press Enter to try again.";
  form.querySelector(".cell-note")?.replaceChildren(said);
  form.dataset.unsaved = "";
  if (status < 500) tell(status);
  if (!isEditing(cellOf(document.activeElement))) input.focus();
}

function partsOf(html) {
  const all = document.createElement("template");
  all.innerHTML = html.replace(/<(\/?)hx-partial/g, "<$1template");
  const toasts = [...all.content.querySelectorAll("template")].flatMap((one) => [...one.content.children]);
  return { row: all.content.querySelector("tr"), toasts };
}

// The row as it stands now; cells in which somebody is typing stay as they are.
function draw(row, fresh) {
  if (!row) return;
  if (!fresh) return row.remove();
  const at = row.contains(document.activeElement) ? document.activeElement.closest("td").cellIndex : -1;
  const isPicked = row.querySelector("[data-pick]")?.checked;
  const isSelected = row.classList.contains("is-selected");
  row.className = fresh.className;
  row.classList.toggle("is-selected", isSelected);
  [...fresh.cells].forEach((cell, place) => {
    const old = row.cells[place];
    if (!old || isEditing(old) || opening.has(old) || old.classList.contains("is-saving")) return;
    if (old.classList.contains("is-in-block")) cell.classList.add("is-in-block");
    old.replaceWith(cell);
    window.htmx.process(cell);
  });
  const box = row.querySelector("[data-pick]");
  if (box && isPicked) box.checked = true;
  if (at >= 0 && !row.contains(document.activeElement)) focusCell(row.cells[at]);
}

const hasUndo = () => Boolean(document.querySelector("#toasts [data-undo]"));

function isTyped(event, cell) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || " ?/".includes(event.key)) return false;
  // Z undoes what was just written, where no value begins with it.
  return !(event.key.toLowerCase() === "z" && hasUndo() && !isText(cell));
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

function onCellKey(event, cell) {
  if (typing?.cell === cell) return onTypedAhead(event);
  if (!cell.querySelector("a.cell-value") || event.target.matches("input")) return;
  if (event.key === "F2") {
    stop(event);
    edit(cell);
  } else if (isTyped(event, cell)) {
    stop(event);
    typing = { cell, text: event.key, step: null };
    edit(cell);
  } else if (event.key === "Escape" && cell.cellIndex > 0 && !table.querySelector(".is-in-block")) {
    // From the cell to its row, where the page's keys work again.
    stop(event);
    focusCell(cell.closest("tr").cells[0]);
  }
}

// Keys that come while the editor is on its way.
function onTypedAhead(event) {
  const step = STEPS[(event.shiftKey ? "Shift+" : "") + event.key];
  if (event.key === "Escape") typing.left = true;
  else if (step) typing.step ??= step;
  else if (event.key === "Backspace") typing.text = typing.text.slice(0, -1);
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !typing.step) typing.text += event.key;
  stop(event);
}

function onEditorKey(event, cell, form) {
  const input = form.querySelector("[data-cell-input]");
  if (event.key === "Escape") {
    stop(event);
    // What stood here before is no longer true: to leave a conflict is to leave what the other wrote.
    const keep = form.querySelector("[name=keep]");
    if (keep) return form.requestSubmit(keep);
    leave(cell);
    focusCell(cell);
    return;
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    stop(event);
    fillBlock(cell, input);
    return;
  }
  const step = STEPS[(event.shiftKey ? "Shift+" : "") + event.key];
  if (!step || event.ctrlKey || event.metaKey || event.target !== input) return;
  stop(event);
  if (isUntouched(form)) {
    leave(cell);
    focusCell(neighbour(cell, step) ?? cell);
  } else {
    submit(cell, form, step);
  }
}

// Into every cell of the selected block, which its own module writes as a whole.
function fillBlock(cell, input) {
  const text = input.matches("select") ? (input.selectedOptions[0]?.text ?? "") : input.value.trim();
  leave(cell);
  focusCell(cell);
  cell.dispatchEvent(new CustomEvent("grid:fill", { detail: text, bubbles: true }));
}

function isUntouched(form) {
  const input = form.querySelector("[data-cell-input]");
  if ("conflict" in form.dataset || input.matches('[aria-invalid="true"]')) return false;
  if (input.matches("select")) return [...input.options].every((one) => one.selected === one.defaultSelected);
  return input.value === input.defaultValue;
}

if (table) {
  document.addEventListener(
    "keydown",
    (event) => {
      const cell = cellOf(event.target);
      const form = event.target.closest?.("[data-cell-form]");
      if (cell && form) onEditorKey(event, cell, form);
      else if (cell) onCellKey(event, cell);
    },
    true,
  );

  table.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a.cell-value");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      stop(event);
      edit(cellOf(link));
    },
    true,
  );

  table.addEventListener(
    "submit",
    (event) => {
      const form = event.target.closest("[data-cell-form]");
      if (!form) return;
      stop(event);
      save(cellOf(form), form, event.submitter);
    },
    true,
  );

  // How the value was understood may come when it is known already that nothing was saved: that is worth more, until
  // somebody types again.
  table.addEventListener("htmx:before:swap", (event) => {
    if (event.target.form?.dataset.unsaved !== undefined) event.preventDefault();
  });
  table.addEventListener("input", (event) => delete event.target.form?.dataset.unsaved);

  table.addEventListener("focusout", (event) => {
    const form = event.target.closest("[data-cell-form]");
    if (!form?.isConnected || "left" in form.dataset || form.contains(event.relatedTarget)) return;
    if (isUntouched(form)) leave(cellOf(form));
  });

  // A block of cells is written by its own module, which shows and draws rows as this one does.
  table.addEventListener("grid:show", (event) => show(event.target, event.detail));
  table.addEventListener("grid:settle", (event) => {
    settle(event.target);
    if (event.detail) fill(event.target, shownBefore.get(event.target));
  });
  table.addEventListener("grid:draw", (event) => draw(event.target, event.detail ? partsOf(event.detail).row : null));
}
