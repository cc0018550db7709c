// The forecast as a spreadsheet: arrows, Home, End and pages move from cell to cell, Shift selects a block, Ctrl+C copies
// it, typing starts an adjustment; Space opens a branch, D the deals behind a number, E what a cell is made of. The editor
// itself is in cell-edit.js; htmx gives a swapped chevron its focus back by its id.
const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
const STARTS_A_NUMBER = /^[-+=\u2212\d.,]$/;
const EXACT = /^([\u2212-]?[\d,]+(?:\.\d+)?)\s[A-Z]{3}$/;
const FORMULA = /^[=+@\t\r]|^-(?![\d.])/;
let block = null;
let typed = null;

const table = () => document.querySelector(".table-forecast");
const cellOf = (element) => element?.closest?.(".table-forecast tbody > tr > *, .table-forecast tfoot > tr > *");
const isShown = (element) => element.getClientRects().length > 0;
const rowsOf = () => [...table().querySelectorAll("tbody > tr, tfoot > tr")];
const cellsOf = (row) => [...row.cells].filter(isShown);
const stopsOf = (cell) => [...cell.querySelectorAll("a[href], button")].filter(isShown);
const place = (cell) => ({ row: rowsOf().indexOf(cell.parentElement), column: cell.cellIndex });

function focusCell(cell, isFromRight = false) {
  const stops = stopsOf(cell);
  const stop = (isFromRight ? stops.at(-1) : stops[0]) ?? cell;
  if (stop === cell) cell.tabIndex = -1;
  stop.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// The cell of a row in a column, or the nearest one where the row is shorter or the column hidden.
function at(row, column) {
  const shown = cellsOf(row);
  return shown.find((cell) => cell.cellIndex >= column) ?? shown.at(-1);
}

function pageRows(cell) {
  return Math.max(1, Math.floor((window.innerHeight * 0.6) / cell.parentElement.offsetHeight));
}

// Where a key leads from a cell; null where it leads nowhere.
function target(event, from) {
  const rows = rowsOf();
  const { row, column } = place(from);
  const shown = cellsOf(rows[row]);
  const wide = event.ctrlKey || event.metaKey;
  const arrow = ARROWS[event.key];
  if (event.key === "Home") return wide ? cellsOf(rows[0])[0] : shown[0];
  if (event.key === "End") return wide ? cellsOf(rows.at(-1)).at(-1) : shown.at(-1);
  if (event.key === "PageDown") return at(rows[Math.min(rows.length - 1, row + pageRows(from))], column);
  if (event.key === "PageUp") return at(rows[Math.max(0, row - pageRows(from))], column);
  if (!arrow) return null;
  const [down, right] = arrow;
  if (down) {
    const next = rows[wide ? (down > 0 ? rows.length - 1 : 0) : row + down];
    return next ? at(next, column) : null;
  }
  return wide ? shown.at(right > 0 ? -1 : 0) : shown[shown.indexOf(from) + right];
}

// A name's cell holds a chevron and a link: the arrows stop at both.
function movedInside(event, cell) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const stops = stopsOf(cell);
  const next = step && !event.ctrlKey && !event.metaKey && stops[stops.indexOf(document.activeElement) + step];
  if (!next || !stops.includes(document.activeElement)) return false;
  next.focus();
  return true;
}

function chosen() {
  const active = cellOf(document.activeElement);
  const shape = block ?? (active && { from: place(active), to: place(active) });
  if (!shape) return [];
  const [top, bottom] = [shape.from.row, shape.to.row].sort((a, b) => a - b);
  const [left, right] = [shape.from.column, shape.to.column].sort((a, b) => a - b);
  const rows = rowsOf().slice(top, bottom + 1);
  return rows.map((row) => cellsOf(row).filter((cell) => cell.cellIndex >= left && cell.cellIndex <= right));
}

function say(text) {
  const status = document.querySelector("[data-told]");
  if (status) status.textContent = text;
}

function select(shape) {
  block = shape;
  for (const old of document.querySelectorAll(".is-in-block")) old.classList.remove("is-in-block");
  if (!block) return;
  const rows = chosen();
  for (const cell of rows.flat()) cell.classList.add("is-in-block");
  say(`${rows.length} by ${rows[0].length} cells selected`);
}

function extend(from, to) {
  select({ from: block?.from ?? place(from), to: place(to) });
}

// Amounts in full, as they stand in the title; names and shares as they are shown, without the line below.
function textOf(cell) {
  const shown = stopsOf(cell).at(-1) ?? cell.querySelector("span[title], b[title]") ?? cell;
  const exact = EXACT.exec(shown.dataset.exact ?? shown.title);
  if (exact) return exact[1].replaceAll(",", "").replace("\u2212", "-");
  const copy = shown.cloneNode(true);
  for (const below of copy.querySelectorAll("small, .visually-hidden")) below.remove();
  const text = copy.textContent.trim().replace("\u2212", "-");
  return FORMULA.test(text) ? `'${text}` : text;
}

function press(element) {
  element?.click();
  return Boolean(element);
}

const adjusting = (row) => row.querySelector("a.grid-adjust");
const KEYS = {
  " ": (row) => press(row.querySelector("a.grid-open")),
  d: (row, cell) => press(cell.querySelector("a[href*='/deals/']") ?? row.querySelector("td a[href*='/deals/']")),
  e: (row) => press(adjusting(row)),
  f2: (row) => press(adjusting(row)),
};

// What is typed on an adjusted cell waits until its editor is there, and is its amount then.
function startsTyping(event, cell) {
  const link = cell.querySelector("a[data-adjust]");
  if (!link || !STARTS_A_NUMBER.test(event.key)) return false;
  typed = event.key;
  link.click();
  return true;
}

function goesOnTyping(event) {
  if (typed === null || event.key.length > 1) return false;
  typed += event.key;
  return true;
}

function act(event, cell) {
  if (goesOnTyping(event)) return true;
  const to = target(event, cell);
  if (event.shiftKey && ARROWS[event.key]) {
    const end = block ? rowsOf()[block.to.row].cells[block.to.column] : cell;
    const next = target(event, end);
    if (next) extend(cell, next);
    return true;
  }
  if (to !== null) {
    select(null);
    if (!movedInside(event, cell) && to) focusCell(to, event.key === "ArrowLeft");
    return true;
  }
  if (event.ctrlKey || event.metaKey) return false;
  if (event.key === "Escape" && block) return select(null) ?? true;
  return startsTyping(event, cell) || Boolean(KEYS[event.key.toLowerCase()]?.(cell.parentElement, cell));
}

document.addEventListener(
  "keydown",
  (event) => {
    const cell = cellOf(event.target);
    if (!cell || event.altKey || event.target.closest("input, textarea, select, button, [data-cell-form]")) return;
    if (!act(event, cell)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

document.addEventListener("copy", (event) => {
  const rows = cellOf(document.activeElement) && !document.activeElement.matches("input, textarea") ? chosen() : [];
  if (!rows.length || String(window.getSelection())) return;
  event.clipboardData.setData("text/plain", rows.map((row) => row.map(textOf).join("\t")).join("\n"));
  event.preventDefault();
  say(`${rows.length} by ${rows[0].length} cells copied`);
});

document.addEventListener(
  "click",
  (event) => {
    const [cell, from] = [cellOf(event.target), cellOf(document.activeElement)];
    if (!event.shiftKey || !cell || !from) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    extend(from, cell);
  },
  true,
);

document.addEventListener("htmx:finally:request", (event) => {
  const { response } = event.detail.ctx;
  if (!response || response.status >= 400) typed = null;
});

document.addEventListener("htmx:after:swap", () => {
  block = null;
  const input = document.querySelector(".table-forecast #adjust-amount");
  const text = typed;
  typed = null;
  if (!input || text === null) return;
  // After cell-edit.js has selected what stood there.
  queueMicrotask(() => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
  });
});
