// The board: drag a card, or Shift+arrow it, into another column. A refused move springs back and shows why.
const board = document.querySelector("[data-board]");

const columns = () => [...board.querySelectorAll("[data-column]")];
const columnOf = (element) => element.closest("[data-column]");
const listOf = (column) => column.querySelector("[data-cards]") ?? column;
const cardsOf = (column) => [...column.querySelectorAll("[data-card]")];
const announce = (text) => {
  const live = document.querySelector("[data-board-status]");
  if (live) live.textContent = text;
};

function focusCard(card) {
  for (const other of board.querySelectorAll("[data-card][tabindex='0']")) other.tabIndex = -1;
  card.tabIndex = 0;
  card.focus();
}

async function send(card, column) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  return fetch(card.dataset.moveUrl, {
    method: "POST",
    credentials: "same-origin",
    headers: { "X-CSRFToken": token, "HX-Request": "true", Accept: "text/html" },
    body: new URLSearchParams({ stage: column.dataset.column }),
  });
}

function showRefusal(column, html) {
  column.querySelectorAll("[data-refusal]").forEach((old) => old.remove());
  // The fragment comes from our own server, already escaped by its template.
  listOf(column).insertAdjacentHTML("afterbegin", html);
  window.htmx?.process(column);
  column.querySelector("[data-refusal]")?.scrollIntoView({ block: "nearest" });
}

async function move(card, column) {
  const from = columnOf(card);
  if (!column || column === from || card.classList.contains("is-moving")) return;
  const next = card.nextElementSibling;
  const name = card.querySelector(".board-name")?.textContent ?? "The card";
  card.classList.add("is-moving");
  listOf(column).prepend(card);
  focusCard(card);
  let answer = null;
  try {
    answer = await send(card, column);
  } catch {
    // No connection: handled like a refusal without a fragment.
  }
  card.classList.remove("is-moving");
  if (answer?.ok) {
    announce(`${name} moved.`);
    const text = await answer.text();
    if (text.trim()) await window.htmx.swap({ text, target: document.body, swap: "none", sourceElement: document.body });
    focusAgain(card);
    return;
  }
  listOf(from).insertBefore(card, next?.parentElement === listOf(from) ? next : null);
  focusCard(card);
  const said = answer?.status === 422 || answer?.status === 409 || answer?.status === 403;
  if (said) showRefusal(column, await answer.text());
  announce(said ? `${name} stays where it was.` : `${name} was not moved. Check the connection and try again.`);
  if (!said) showLost(column, name);
}

function showLost(column, name) {
  const box = document.createElement("div");
  box.className = "refusal";
  box.dataset.refusal = "";
  box.textContent = `${name} was not moved. Check the connection and try again.`;
  column.querySelectorAll("[data-refusal]").forEach((old) => old.remove());
  listOf(column).prepend(box);
}

function focusAgain(card) {
  const again = board.querySelector(`[data-card="${CSS.escape(card.dataset.card)}"]`);
  if (again) focusCard(again);
}

function neighbour(card, key) {
  if (key === "ArrowDown" || key === "ArrowUp") {
    const cards = cardsOf(columnOf(card));
    return cards[cards.indexOf(card) + (key === "ArrowDown" ? 1 : -1)];
  }
  const step = key === "ArrowRight" ? 1 : -1;
  const all = columns();
  const row = cardsOf(columnOf(card)).indexOf(card);
  for (let index = all.indexOf(columnOf(card)) + step; all[index]; index += step) {
    const cards = cardsOf(all[index]);
    if (cards.length) return cards[Math.min(row, cards.length - 1)];
  }
  return null;
}

function onKey(event) {
  const card = event.target.closest("[data-card]");
  if (!card || event.target !== card || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter") {
    card.querySelector("a[href]")?.click();
  } else if (event.shiftKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    const all = columns();
    move(card, all[all.indexOf(columnOf(card)) + (event.key === "ArrowRight" ? 1 : -1)]);
  } else if (event.key.startsWith("Arrow") && !event.shiftKey) {
    const next = neighbour(card, event.key);
    if (next) focusCard(next);
  } else {
    return;
  }
  event.preventDefault();
}

function enableDragging() {
  let dragged = null;
  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-card]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.card);
    dragged.classList.add("is-dragged");
  });
  board.addEventListener("dragover", (event) => {
    const column = columnOf(event.target);
    if (!dragged || !column) return;
    event.preventDefault();
    for (const other of columns()) listOf(other).classList.toggle("is-over", other === column);
  });
  board.addEventListener("drop", (event) => {
    const column = columnOf(event.target);
    if (!dragged || !column) return;
    event.preventDefault();
    move(dragged, column);
  });
  board.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
    for (const column of columns()) listOf(column).classList.remove("is-over");
  });
}

if (board) {
  board.addEventListener("keydown", onKey);
  board.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss-refusal]")) event.target.closest("[data-refusal]").remove();
  });
  enableDragging();
  const first = board.querySelector("[data-card]");
  if (first) first.tabIndex = 0;
}
