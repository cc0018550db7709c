// Picking rows: how many, all of the page, none; the picks stay when a row is drawn again.
const boxes = () => [...document.querySelectorAll("[data-pick]")];
const picked = new Set();
const bar = document.getElementById("picks");
let last = null;

function tell() {
  if (!bar) return;
  for (const box of boxes()) box.checked ? picked.add(box.value) : picked.delete(box.value);
  const all = bar.querySelector("[data-picks-all]");
  if (all?.checked && boxes().some((box) => !box.checked)) all.checked = false;
  bar.querySelector("[data-picks-count]").textContent = all?.checked ? "All picked" : `${picked.size} picked`;
  if (!picked.size) close();
}

function set(isPicked) {
  for (const box of boxes()) box.checked = isPicked;
  tell();
}

function close() {
  document.getElementById("picks-form")?.replaceChildren();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-picks-none]")) set(false);
  if (event.target.closest("[data-picks-page]")) set(true);
  if (event.target.closest("[data-bulk-cancel]")) close();
  const box = event.target.closest("[data-pick]");
  if (!box) return;
  // Shift picks everything between this row and the one before, as in a list of mails.
  if (event.shiftKey && last && last.isConnected) {
    const all = boxes();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
  tell();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-picks-all]")) return;
  if (event.target.checked) for (const box of boxes()) box.checked = true;
  tell();
});

document.addEventListener("htmx:after:swap", (event) => {
  // Another field was chosen and its form came.
  if (event.detail.ctx.sourceElement.closest("#picks, #picks-form")) {
    document.querySelector("#picks-form [data-bulk-input]")?.focus();
    bar?.querySelector("details[open]")?.removeAttribute("open");
  }
  for (const box of boxes()) if (picked.has(box.value)) box.checked = true;
  tell();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.target.closest("[data-cell-form]")) return;
  if (document.querySelector("#picks-form > *")) close();
  else if (picked.size) set(false);
});

// The browser may remember boxes when one comes back to the page.
tell();
