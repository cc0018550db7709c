// The forecast as a spreadsheet: Space opens a branch, D the deals behind a number, E what a cell is made of. Arrows are
// in rows.js, the editor in cell-edit.js; htmx gives a swapped chevron its focus back by its id.
const rowOf = (element) => element?.closest?.(".table-forecast tbody tr");

function press(element) {
  element?.click();
  return Boolean(element);
}

const KEYS = {
  " ": (row) => press(row.querySelector("a.grid-open")),
  d: (row, cell) => press(cell?.querySelector("a[href*='/deals/']") ?? row.querySelector("td a[href*='/deals/']")),
  e: (row) => press(row.querySelector("a.grid-adjust")),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  const row = rowOf(event.target);
  if (!row || event.target.closest("input, textarea, select")) return;
  const act = KEYS[event.key.toLowerCase()];
  if (act?.(row, event.target.closest("td"))) event.preventDefault();
});
