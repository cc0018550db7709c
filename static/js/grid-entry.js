// Fetches the spreadsheet's modules when a cell is first entered; what is done until they stand waits, and is done then.
const table = document.querySelector("table[data-grid]");
const waiting = [];
let state = "apart";

const cellOf = (element) => element?.closest?.("table[data-grid] tbody td");
const holds = (event) => event.ctrlKey || event.metaKey || event.altKey;

async function enter() {
  if (state !== "apart") return;
  state = "coming";
  try {
    await Promise.all([import("./cell-block.js"), import("./deals-grid.js")]);
    state = "there";
    table.dataset.entered = "";
    let before = null;
    for (const { target, event } of waiting.splice(0)) {
      redo(target, event, target === before);
      before = target;
    }
  } catch {
    // Links of cells go on to their own pages, which need no module; the next try fetches again.
    state = "apart";
    waiting.length = 0;
    document.dispatchEvent(new CustomEvent("htmx:error", { detail: { ctx: { response: null } } }));
  }
}

// A key that was pressed where the one before it was is meant for where that one has led; Enter opens a link where
// nobody wants it.
function redo(target, event, isNext) {
  const isLed = isNext && event.type === "keydown" && cellOf(document.activeElement);
  const place = isLed ? document.activeElement : target;
  if (!place.isConnected) return;
  if (!isNext && !place.contains(document.activeElement)) place.focus();
  const isLeft = place.dispatchEvent(event);
  if (isLeft && event.type === "keydown" && event.key === "Enter") place.click();
}

function isForTheGrid(event, cell) {
  // What follows a key that waits, waits too: the order is the meaning.
  if (waiting.length && cell && event.type === "keydown" && !holds(event)) return true;
  if (!cell || event.target.closest("input, textarea, select, [data-cell-form]")) return false;
  if (event.type === "click") return Boolean(event.target.closest("a.cell-value")) && !holds(event) && !event.shiftKey;
  if (event.type === "paste") return true;
  if (holds(event)) return !event.altKey && event.key.toLowerCase() === "d";
  return (event.key.length === 1 && !" ?/".includes(event.key)) || ["F2", "Delete", "Backspace"].includes(event.key) || (event.shiftKey && event.key.startsWith("Arrow"));
}

// Its own data is gone once the event is over.
function copyOf(event) {
  if (event.type !== "paste") return new event.constructor(event.type, event);
  const data = new DataTransfer();
  data.setData("text/plain", event.clipboardData.getData("text/plain"));
  return new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
}

function hold(event) {
  const active = event.type === "paste" ? document.activeElement : event.target;
  if (state === "there" || !isForTheGrid(event, cellOf(active))) return;
  enter();
  waiting.push({ target: active, event: copyOf(event) });
  event.preventDefault();
  event.stopImmediatePropagation();
}

if (table) {
  for (const type of ["keydown", "click", "paste"]) document.addEventListener(type, hold, true);
  for (const type of ["focusin", "pointerdown"]) table.addEventListener(type, (event) => cellOf(event.target) && enter());
}
