// Undo loads the page again; whoever undid by a key goes on where they were, in a table's cell or on a board's card.
const KEPT = "undo-place";

const markOf = (element) => {
  const row = element.closest("tbody[data-rows] tr[id]");
  if (row) return { row: row.id, column: element.closest("td, th")?.cellIndex ?? 0 };
  const card = element.closest("[data-card]");
  return card && { card: card.dataset.card };
};

function find({ row, column, card }) {
  if (card) return document.querySelector(`[data-card="${CSS.escape(card)}"]`);
  const cells = document.getElementById(row)?.cells;
  return [cells?.[column], cells?.[0]].map((cell) => cell?.querySelector("a, button")).find(Boolean);
}

document.addEventListener("submit", ({ target }) => {
  const mark = target.matches("[data-undo]") && markOf(document.activeElement);
  if (mark) sessionStorage.setItem(KEPT, JSON.stringify({ ...mark, at: window.location.href }));
});

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
sessionStorage.removeItem(KEPT);
if (kept?.at === window.location.href) find(kept)?.focus();
