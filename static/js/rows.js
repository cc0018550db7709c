// Arrows, j and k move through the rows of tbody[data-rows]; left and right through a row's links and buttons.
const STOPS = "a[href], button:not([disabled]), input:not([type=hidden], [data-pick]), summary";

const isShown = (element) => element.getClientRects().length > 0;
const rowsOf = () => [...document.querySelectorAll("tbody[data-rows] tr:not(.group)")].filter(isShown);
const stopsOf = (row) => [...row.querySelectorAll(STOPS)].filter(isShown);
const columnOf = (element) => element.closest("td, th")?.cellIndex ?? 0;

function select(row) {
  for (const other of document.querySelectorAll("tr.is-selected[data-picked]")) {
    other.classList.remove("is-selected");
    delete other.dataset.picked;
  }
  if (row.classList.contains("is-selected")) return;
  row.classList.add("is-selected");
  row.dataset.picked = "";
}

function focusIn(row, column) {
  const stops = stopsOf(row);
  const stop = stops.find((one) => columnOf(one) === column) ?? stops[0];
  if (!stop) return false;
  stop.focus();
  row.scrollIntoView({ block: "nearest" });
  return true;
}

function moveRow(current, step, column) {
  const rows = rowsOf();
  let index = current ? rows.indexOf(current) + step : step > 0 ? 0 : rows.length - 1;
  while (rows[index] && !focusIn(rows[index], column)) index += step;
  return Boolean(rows[index]);
}

function moveCell(row, step) {
  const stops = stopsOf(row);
  const next = stops[stops.indexOf(document.activeElement) + step];
  next?.focus();
  return Boolean(next);
}

const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], [data-board], dialog")) return;
  if (event.target.closest("details[open]")) return;
  const row = event.target.closest("tbody[data-rows] tr");
  // Arrows scroll the page until a row is entered; j and k enter the first one from anywhere, and the arrow down enters
  // a spreadsheet, as it does elsewhere.
  const enters = event.key.length === 1 || (event.key === "ArrowDown" && event.target === document.body && document.querySelector("table[data-grid]"));
  if (event.key in STEPS && (row || enters)) {
    if (moveRow(row, STEPS[event.key], row ? columnOf(event.target) : 0)) event.preventDefault();
  } else if (row && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    if (moveCell(row, event.key === "ArrowRight" ? 1 : -1)) event.preventDefault();
  } else if (row && event.key === "Escape") {
    event.target.blur();
  } else if (row && event.key === "x") {
    row.querySelector("input[type=checkbox]")?.click();
  }
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("tbody[data-rows] tr:not(.group)");
  if (row) select(row);
});

// A click on empty space of a row opens it; links, cells and selected text keep their own meaning.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest("a, button, input, select, textarea, summary, details, label, [data-cell]")) return;
  if (String(window.getSelection())) return;
  window.location.assign(row.dataset.href);
});
