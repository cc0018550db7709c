// The board: drag a card, or Shift+arrow it, into another column. A refused move springs back and shows why, with the
// form that puts it right; Won and Lost ask for the reason in a dialog.
const board = document.querySelector("[data-board]");
const dialog = document.getElementById("board-dialog");

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

async function ask(address, options = {}) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const headers = { "X-CSRFToken": token, "HX-Request": "true", Accept: "text/html" };
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...options, headers });
    // A sign-in that ended leads elsewhere: what comes then is no part of the board.
    const isSaid = !answer.redirected && (answer.ok || [409, 422].includes(answer.status));
    return { isDone: isSaid && answer.ok, isSaid, text: isSaid ? await answer.text() : "" };
  } catch {
    return { isDone: false, isSaid: false, text: "" };
  }
}

const post = (address, body) => ask(address, { method: "POST", body });

// The fragments below come from our own server, already escaped by its templates.
function showRefusal(column, html) {
  clearRefusals();
  listOf(column).insertAdjacentHTML("afterbegin", html);
  const refusal = column.querySelector("[data-refusal]");
  refusal?.scrollIntoView({ block: "nearest" });
  refusal?.querySelector("form :is(input:not([type=hidden]), select, textarea)")?.focus({ preventScroll: true });
}

function clearRefusals() {
  board.querySelectorAll("[data-refusal]").forEach((old) => old.remove());
}

async function showParts(text) {
  if (text.trim()) await window.htmx.swap({ text, target: document.body, swap: "none", sourceElement: document.body });
}

function springBack({ card, from, next }) {
  listOf(from).insertBefore(card, next?.parentElement === listOf(from) ? next : null);
  focusCard(card);
}

async function move(card, column) {
  const from = columnOf(card);
  if (!column || column === from || card.classList.contains("is-moving")) return;
  const place = { card, from, next: card.nextElementSibling, name: card.querySelector(".board-name")?.textContent ?? "The card" };
  card.classList.add("is-moving");
  listOf(column).prepend(card);
  focusCard(card);
  const answer = await post(card.dataset.moveUrl, new URLSearchParams({ stage: column.dataset.column }));
  card.classList.remove("is-moving");
  if (answer.isDone) {
    announce(`${place.name} moved.`);
    await showParts(answer.text);
    focusAgain(card);
    return;
  }
  if (answer.isSaid && answer.text.includes("data-closing")) {
    openClosing(place, answer.text);
    return;
  }
  springBack(place);
  announce(answer.isSaid ? `${place.name} stays where it was.` : lostWords(place.name));
  if (answer.isSaid) showRefusal(column, answer.text);
  else showLost(column, place.name);
}

const lostWords = (name) => `${name} was not moved. Check the connection and try again.`;

function showLost(column, name) {
  const box = document.createElement("div");
  box.className = "refusal";
  box.dataset.refusal = "";
  box.textContent = lostWords(name);
  clearRefusals();
  listOf(column).prepend(box);
}

function dismiss() {
  clearRefusals();
  board.querySelector("[data-card][tabindex='0']")?.focus();
}

function focusAgain(card) {
  const again = board.querySelector(`[data-card="${CSS.escape(card.dataset.card)}"]`);
  if (again) focusCard(again);
}

// Closing: the card waits in its new column until the dialog is answered; else it springs back.
let waiting = null;

function openClosing(place, html) {
  waiting = place;
  clearRefusals();
  dialog.innerHTML = html;
  dialog.showModal();
  dialog.querySelector("input[type=radio]")?.focus();
}

function endClosing() {
  dialog.replaceChildren();
  if (!waiting) return;
  springBack(waiting);
  announce(`${waiting.name} stays where it was.`);
  waiting = null;
}

// Another outcome has other reasons; what was chosen already goes along.
async function changeOutcome(link) {
  const address = new URL(link.href);
  const chosen = new FormData(link.closest("form"));
  for (const name of ["reason", "competitor", "close_date"]) {
    if (chosen.get(name)) address.searchParams.set(name, chosen.get(name));
  }
  const answer = await ask(address.href);
  if (!answer.isDone || !dialog.open) return;
  dialog.innerHTML = answer.text;
  dialog.querySelector(".switch [aria-current]")?.focus();
}

// The next card takes the hands on, where the one that was closed has left.
async function closed(place, text) {
  const row = place.next ? cardsOf(place.from).indexOf(place.next) : cardsOf(place.from).length;
  const id = place.from.id;
  place.card.remove();
  announce(`${place.name} is closed.`);
  await showParts(text);
  const cards = cardsOf(document.getElementById(id));
  const next = cards[Math.min(row, cards.length - 1)] ?? board.querySelector("[data-card]");
  if (next) focusCard(next);
}

async function sendForm(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  submitter?.setAttribute("disabled", "");
  const answer = await post(form.action, body);
  submitter?.removeAttribute("disabled");
  if (!answer.isSaid) return sayLost(form);
  const isClosing = dialog.contains(form);
  if (!answer.isDone) {
    const first = "[aria-invalid], .field-error, .form-errors, form input:not([type=hidden])";
    if (isClosing) dialog.innerHTML = answer.text;
    else form.closest("[data-refusal]").outerHTML = answer.text;
    const shown = isClosing ? dialog : board.querySelector("[data-refusal]");
    (shown?.querySelector("[aria-invalid=true]") ?? shown?.querySelector(first))?.focus();
    return undefined;
  }
  if (!isClosing) {
    const card = board.querySelector("[data-card][tabindex='0']");
    clearRefusals();
    await showParts(answer.text);
    if (card) focusAgain(card);
    return undefined;
  }
  const place = waiting;
  waiting = null;
  dialog.close();
  return closed(place, answer.text);
}

function sayLost(form) {
  form.querySelector("[data-lost]")?.remove();
  const words = document.createElement("p");
  words.className = "field-error";
  words.dataset.lost = "";
  words.setAttribute("role", "alert");
  words.textContent = "Not saved. Check the connection and try again; what you typed stays.";
  form.prepend(words);
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
  if (!card || event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target !== card) {
    return;
  } else if (event.key === "Enter") {
    card.querySelector("a[href]")?.click();
  } else if (event.shiftKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    const all = columns().filter((column) => column.classList.contains("board-column"));
    move(card, all[all.indexOf(columnOf(card)) + (event.key === "ArrowRight" ? 1 : -1)]);
  } else if (event.key === "c" && dialog) {
    move(card, document.getElementById("column-won"));
  } else if (event.key.startsWith("Arrow") && !event.shiftKey) {
    const next = neighbour(card, event.key);
    if (next) focusCard(next);
  } else {
    return;
  }
  event.preventDefault();
}

// Nothing has the focus yet: an arrow begins at the first card.
function onFirstKey(event) {
  if (event.target !== document.body || !event.key.startsWith("Arrow") || event.shiftKey) return;
  const first = board.querySelector("[data-card]");
  if (!first) return;
  focusCard(first);
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
    // A place to drop that appears at once would end the drag before it began.
    requestAnimationFrame(() => board.classList.toggle("is-dragging", Boolean(dragged)));
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
    board.classList.remove("is-dragging");
    for (const column of columns()) listOf(column).classList.remove("is-over");
  });
}

if (board) {
  board.addEventListener("keydown", onKey);
  document.addEventListener("keydown", onFirstKey);
  board.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss-refusal]")) dismiss();
  });
  board.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest("[data-refusal]")) dismiss();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-board-form]")) return;
    event.preventDefault();
    sendForm(event.target, event.submitter);
  });
  dialog?.addEventListener("close", endClosing);
  dialog?.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-dialog]")) dialog.close();
    const link = event.target.closest("[data-closing] .switch a");
    if (!link) return;
    event.preventDefault();
    changeOutcome(link);
  });
  enableDragging();
  const first = board.querySelector("[data-card]");
  if (first) first.tabIndex = 0;
}
