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

// A request that htmx could not place says so here, with the remedy; refusals (422) stand where they belong.
const CAUSES = {
  401: "You are signed out. Load the page again to sign in.",
  403: "Not done: your role does not allow it, or the page was open too long. Load it again.",
  404: "Not found. It may have been deleted since this page was loaded; load it again.",
  429: "Too many requests. Wait a minute and try again.",
};

function say(text) {
  if (!region || [...region.querySelectorAll(".toast-text")].some((old) => old.textContent === text)) return;
  const toast = document.createElement("div");
  toast.className = "toast toast-error";
  toast.dataset.toast = "";
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-ghost button-small";
  button.dataset.dismiss = "";
  button.textContent = "Dismiss";
  toast.append(words, button);
  region.append(toast);
}

document.addEventListener("htmx:response:error", (event) => {
  const { status } = event.detail.ctx.response;
  if (status === 422 || status === 409) return;
  say(CAUSES[status] ?? "Not done: the server failed. Nothing was changed; try again in a minute.");
});

document.addEventListener("htmx:error", () => say("No connection. Nothing was changed; try again."));
