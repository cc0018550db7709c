// Toasts stay eight seconds, longer while the pointer or the focus is on them. Undo goes by its form.
const SHOWN_MS = 8000;
const timers = new WeakMap();

function start(toast) {
  stop(toast);
  if (toast.classList.contains("toast-error")) return;
  timers.set(toast, setTimeout(() => toast.remove(), SHOWN_MS));
}

function stop(toast) {
  clearTimeout(timers.get(toast));
}

const toastOf = (event) => event.target.closest?.("[data-toast]");

for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, (event) => toastOf(event) && stop(toastOf(event)));
}

for (const name of ["pointerout", "focusout"]) {
  document.addEventListener(name, (event) => {
    const toast = toastOf(event);
    if (toast && !toast.contains(event.relatedTarget)) start(toast);
  });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) toastOf(event)?.remove();
});

const region = document.getElementById("toasts");
if (region) {
  region.querySelectorAll("[data-toast]").forEach(start);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node.matches?.("[data-toast]")) start(node);
    }
  }).observe(region, { childList: true });
}
