// Page-wide keys: "/" searches, "g d" goes, "?" helps, single keys click what bears data-key.
const GO_WINDOW_MS = 1200;
let goPressedAt = -Infinity;

function isTyping(target) {
  return Boolean(target.closest("input, textarea, select, [contenteditable]"));
}

function dialogIsOpen() {
  return Boolean(document.querySelector("dialog[open]"));
}

function showHelp() {
  const dialog = document.getElementById("keys");
  if (dialog?.open) dialog.close();
  else dialog?.showModal();
}

function isShown(element) {
  return element.getClientRects().length > 0 && !element.disabled;
}

function clickKey(key) {
  const named = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isShown);
  named?.click();
  return Boolean(named);
}

function go(key) {
  const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  if (place) window.location.assign(place.href);
  return Boolean(place);
}

function undo() {
  const forms = document.querySelectorAll("#toasts [data-undo]");
  const last = forms[forms.length - 1];
  last?.requestSubmit();
  return Boolean(last);
}

function act(event) {
  const key = event.key.toLowerCase();
  if (event.timeStamp - goPressedAt < GO_WINDOW_MS) {
    goPressedAt = -Infinity;
    go(key);
    return true;
  }
  if (key === "?") return showHelp() ?? true;
  if (dialogIsOpen()) return false;
  if (key === "/") {
    const search = [...document.querySelectorAll("[data-search]")].find(isShown);
    search?.focus();
    search?.select();
    return Boolean(search);
  }
  if (key === "g") {
    goPressedAt = event.timeStamp;
    return true;
  }
  if (key === "z" && undo()) return true;
  return key.length === 1 && clickKey(key);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && isTyping(event.target) && event.target.matches("[data-search]")) {
    event.target.blur();
    return;
  }
  if (isTyping(event.target)) return;
  if (act(event)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) showHelp();
  if (event.target.closest("[data-print]")) window.print();
  if (event.target.matches("dialog[open]")) event.target.close();
});
