// Blocks of cells in the list of deals: Shift and arrows select, Ctrl+C and Ctrl+V speak to a spreadsheet, Ctrl+D fills
// down, Delete clears. A block is written as a whole or not at all; deals-grid.js draws its rows.
const table = document.querySelector("table[data-grid]");
const answer = document.getElementById("block-answer");
const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
const FORMULA = /^[=+\-@\t\r]/;
let block = null;
let dragged = null;

const rowsOf = () => [...table.querySelectorAll("tbody tr[id^='deal-']")];
const cellOf = (element) => element?.closest?.("table[data-grid] tbody td");
const headOf = (place) => table.tHead.rows[0].cells[place].dataset;
const idOf = (row) => row.id.slice("deal-".length);
const isTyping = (element) => Boolean(element?.closest?.("input:not([type=checkbox]), textarea, select"));
const place = (cell) => ({ row: rowsOf().indexOf(cell.closest("tr")), column: cell.cellIndex });

function valueOf(cell) {
  return cell.dataset.v ?? cell.querySelector(".cell-line > a")?.textContent ?? cell.textContent.trim();
}

// Choices are told by their names; the marks of what changed are none of them.
function textOf(cell) {
  if (headOf(cell.cellIndex).kind !== "choice") return valueOf(cell);
  if (cell.dataset.v === "") return "";
  const words = cell.cloneNode(true);
  for (const mark of words.querySelectorAll(".delta, .cell-value .chip, .visually-hidden")) mark.remove();
  return words.textContent.trim();
}

// The selected cells as rows of cells; the one that has the focus where none are selected.
function cells() {
  const active = cellOf(document.activeElement);
  const shape = block ?? (active && { from: place(active), to: place(active) });
  if (!shape) return [];
  const [top, bottom] = [shape.from.row, shape.to.row].sort((a, b) => a - b);
  const [left, right] = [shape.from.column, shape.to.column].sort((a, b) => a - b);
  return rowsOf()
    .slice(top, bottom + 1)
    .map((row) => [...row.cells].slice(left, right + 1));
}

function paint() {
  for (const old of table.querySelectorAll(".is-in-block")) old.classList.remove("is-in-block");
  const chosen = block ? cells() : [];
  for (const cell of chosen.flat()) cell.classList.add("is-in-block");
  if (chosen.length) say(`${chosen.length} by ${chosen[0].length} cells selected`);
}

function say(text) {
  const status = document.querySelector("[data-grid-status]");
  if (status) status.textContent = text;
}

function select(from, to) {
  block = from.row === to.row && from.column === to.column ? null : { from, to };
  paint();
}

function extend(cell, [down, right]) {
  const from = block?.from ?? place(cell);
  const to = { ...(block?.to ?? from) };
  to.row = Math.max(0, Math.min(rowsOf().length - 1, to.row + down));
  to.column = Math.max(0, Math.min(table.tHead.rows[0].cells.length - 1, to.column + right));
  select(from, to);
  rowsOf()[to.row].scrollIntoView({ block: "nearest" });
}

function toTsv(rows) {
  const safe = (text) => (FORMULA.test(text) ? `'${text}` : text);
  const quoted = (text) => (/["\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map((cell) => quoted(safe(textOf(cell)))).join("\t")).join("\n");
}

// What a spreadsheet puts on the clipboard: tabs, line ends, and quotes around cells that hold those.
function fromTsv(text) {
  const rows = [[]];
  const ends = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const part = /(?:"((?:[^"]|"")*)"(?=\t|\n|$)|([^\t\n]*))(\t|\n|$)/y;
  while (part.lastIndex <= ends.length) {
    const found = part.exec(ends);
    if (!found) break;
    const cell = found[1] === undefined ? found[2] : found[1].replaceAll('""', '"');
    rows.at(-1).push(cell.replace(/^'(?=[=+\-@])/, ""));
    if (found[3] === "") break;
    if (found[3] === "\n") rows.push([]);
  }
  return rows;
}

function pasted(matrix) {
  const chosen = cells();
  if (matrix.length === 1 && matrix[0].length === 1) return write(chosen, chosen.map((row) => row.map(() => matrix[0][0])));
  const start = place(chosen[0][0]);
  const width = Math.max(...matrix.map((row) => row.length));
  const rows = rowsOf().slice(start.row, start.row + matrix.length);
  const columns = rows[0].cells.length - start.column;
  if (rows.length < matrix.length || columns < width) {
    const short = rows.length < matrix.length;
    return refuse(
      short
        ? `The block has ${matrix.length} rows, and ${rows.length} stand from this cell down on this page. Copy fewer, or start higher.`
        : `The block has ${width} columns, and ${columns} stand from this cell on. Copy fewer, or start further left.`,
    );
  }
  const targets = rows.map((row) => [...row.cells].slice(start.column, start.column + width));
  select(start, { row: start.row + matrix.length - 1, column: start.column + width - 1 });
  return write(targets, targets.map((row, r) => row.map((_, c) => matrix[r][c] ?? null)));
}

function fillDown() {
  let chosen = cells();
  if (!chosen.length) return;
  if (chosen.length === 1) {
    const above = rowsOf()[place(chosen[0][0]).row - 1];
    if (!above) return;
    chosen = [chosen[0].map((cell) => above.cells[cell.cellIndex]), ...chosen];
  }
  const [first, ...others] = chosen;
  write(others, others.map((row) => row.map((_, c) => valueOf(first[c]))), first.map(textOf));
}

// A cell that holds the text already is left alone, which is all that a computed one can be asked for.
function write(targets, values, labels = []) {
  const wanted = values.map((row, r) =>
    row.map((text, c) => (text === null || [valueOf(targets[r][c]), textOf(targets[r][c])].includes(text) ? null : text)),
  );
  const used = targets[0].map((_, c) => c).filter((c) => wanted.some((row) => row[c] !== null));
  if (!used.length) return say("Nothing to write: these cells hold that already");
  const pick = (rows) => rows.map((row) => used.map((c) => row[c]));
  const shown = [];
  targets.forEach((row, r) =>
    row.forEach((cell, c) => {
      if (wanted[r][c] === null) return;
      shown.push(cell);
      tellCell(cell, "grid:show", labels[c] ?? wanted[r][c]);
    }),
  );
  const body = {
    deals: targets.map((row) => idOf(row[0].closest("tr"))),
    fields: used.map((c) => headOf(targets[0][c].cellIndex).field),
    values: pick(wanted),
    was: pick(targets.map((row) => row.map(valueOf))),
  };
  send(JSON.stringify(body), { "Content-Type": "application/json" }, shown);
}

const tellCell = (target, name, detail) => target.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));

async function send(body, headers, shown = []) {
  close();
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const common = {
    "X-CSRFToken": token,
    "X-Requested-With": "fetch",
    "HX-Request": "true",
    "HX-Current-URL": window.location.href,
  };
  let status = 0;
  let said = null;
  try {
    const response = await fetch(table.dataset.grid, { method: "POST", body, headers: { ...common, ...headers } });
    status = response.status;
    said = await response.json();
  } catch {
    // What is no JSON is told by its status.
  }
  for (const cell of shown) tellCell(cell, "grid:settle", !(status === 200 && said));
  if (status === 200 && said) {
    for (const [id, html] of Object.entries(said.rows)) {
      const row = document.getElementById(`deal-${id}`);
      if (row) tellCell(row, "grid:draw", html);
    }
    toast(said.toast);
    say(said.said);
  } else if (said?.html) {
    open(said.html);
  } else {
    const name = status ? "htmx:response:error" : "htmx:error";
    document.dispatchEvent(new CustomEvent(name, { detail: { ctx: { response: { status } } } }));
  }
}

function toast(html) {
  const all = document.createElement("template");
  all.innerHTML = html.replace(/<(\/?)hx-partial/g, "<$1template");
  for (const part of all.content.querySelectorAll("template")) document.getElementById("toasts").append(part.content);
}

function open(html) {
  answer.innerHTML = html;
  for (const one of answer.querySelectorAll("[data-bad]")) {
    const [id, field] = one.dataset.bad.split(" ");
    const at = [...table.tHead.rows[0].cells].findIndex((head) => head.dataset.field === field);
    document.getElementById(`deal-${id}`)?.cells[at]?.classList.add("is-refused");
  }
  answer.firstElementChild.focus();
}

function refuse(text) {
  answer.innerHTML = '<div class="bulk block-refused" role="alert" tabindex="-1"><p><b>Nothing was written.</b> <span></span></p><div class="form-actions"><button class="button" type="button" data-bulk-cancel>Close</button></div></div>';
  answer.querySelector("span").textContent = text;
  answer.firstElementChild.focus();
}

function close() {
  const had = answer.contains(document.activeElement);
  answer.replaceChildren();
  for (const cell of table.querySelectorAll(".is-refused:not(:has([data-cell-form]))")) cell.classList.remove("is-refused");
  if (had) (cells()[0]?.[0] ?? rowsOf()[0]?.cells[0])?.querySelector("a")?.focus();
}

function onKey(event) {
  if (event.key === "Escape" && answer.firstElementChild) {
    event.stopImmediatePropagation();
    close();
    return;
  }
  const cell = cellOf(event.target);
  if (!cell || isTyping(event.target)) return;
  const holds = event.ctrlKey || event.metaKey;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey && !holds) {
    extend(cell, arrow);
  } else if (holds && event.key.toLowerCase() === "d") {
    fillDown();
  } else if (holds && event.key.toLowerCase() === "z") {
    const undo = [...document.querySelectorAll("#toasts [data-undo]")].at(-1);
    if (!undo) return;
    undo.requestSubmit();
  } else if (["Delete", "Backspace"].includes(event.key) && (block || cell.querySelector("a.cell-value"))) {
    const chosen = cells();
    write(chosen, chosen.map((row) => row.map(() => "")));
  } else if (event.key === "Escape" && block) {
    select(place(cell), place(cell));
  } else {
    if (arrow) select(place(cell), place(cell));
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}

if (table && answer) {
  document.addEventListener("keydown", onKey, true);

  table.addEventListener("grid:fill", ({ target, detail }) => {
    const chosen = block ? cells() : [[target]];
    write(chosen, chosen.map((row) => row.map(() => detail)));
  });

  document.addEventListener("copy", (event) => {
    const chosen = cells();
    if (!chosen.length || isTyping(document.activeElement) || String(window.getSelection())) return;
    event.clipboardData.setData("text/plain", toTsv(chosen));
    event.preventDefault();
    say(`${chosen.length} by ${chosen[0].length} cells copied`);
  });

  document.addEventListener("paste", (event) => {
    if (isTyping(document.activeElement) || !cells().length) return;
    event.preventDefault();
    const matrix = fromTsv(event.clipboardData.getData("text/plain"));
    if (matrix[0].length) pasted(matrix);
  });

  // Over cells the pointer selects too; a click alone still edits.
  table.addEventListener("pointerdown", (event) => {
    const cell = cellOf(event.target);
    if (!cell || isTyping(event.target) || event.target.closest("label") || event.button || event.pointerType === "touch") return;
    dragged = event.shiftKey
      ? (block?.from ?? (cellOf(document.activeElement) && place(cellOf(document.activeElement)))) : place(cell);
    if (event.shiftKey && dragged) select(dragged, place(cell));
    else if (block) select(place(cell), place(cell));
  });
  table.addEventListener("pointerover", (event) => {
    const cell = cellOf(event.target);
    if (!cell || !dragged || !(event.buttons & 1) || table.querySelector("[data-cell-form]")) return;
    select(dragged, place(cell));
    if (!block) return;
    window.getSelection().removeAllRanges();
    rowsOf()[dragged.row].cells[dragged.column].querySelector("a")?.focus();
  });
  table.addEventListener("dragstart", (event) => event.preventDefault());
  document.addEventListener("pointerup", () => setTimeout(() => (dragged = null)));
  table.addEventListener(
    "click",
    (event) => {
      if (!block || event.target.closest("label")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  answer.addEventListener("submit", (event) => {
    event.preventDefault();
    send(new FormData(event.target), {});
  });
  answer.addEventListener("click", (event) => event.target.closest("[data-bulk-cancel]") && close());
}
