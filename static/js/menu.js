// Menus and popovers are <details>: one open at a time, Esc and a click elsewhere close, arrows move inside.
const FLOATING = "details.menu, details.pop";

const isOpen = () => [...document.querySelectorAll("details.menu[open], details.pop[open]")];

function closeAll(except = null) {
  for (const details of isOpen()) if (!details.contains(except)) details.open = false;
}

function keepInside(details) {
  const body = details.querySelector(".menu-body, .pop-body");
  if (!body || getComputedStyle(body).position === "fixed") return;
  const box = body.getBoundingClientRect();
  if (box.right > document.documentElement.clientWidth - 8) details.classList.add("menu-end");
  else if (box.left < 0) details.classList.remove("menu-end");
}

document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches?.(FLOATING) || !event.target.open) return;
    closeAll(event.target);
    keepInside(event.target);
    // A key that opens a form leads into it; a pointer goes there itself.
    const isByKey = event.target.querySelector("summary[data-key]") && !event.target.contains(document.activeElement);
    const field = isByKey ? ", .pop-body select, .pop-body input:not([type=hidden])" : "";
    event.target.querySelector(`[data-narrow], [data-search]${field}`)?.focus();
  },
  true,
);

document.addEventListener("click", (event) => {
  if (!event.target.closest(FLOATING)) closeAll();
});

function moveInside(details, step) {
  const stops = [...details.querySelectorAll(".menu-body a, .menu-body button")].filter((one) => !one.hidden);
  const index = stops.indexOf(document.activeElement);
  stops[(index + step + stops.length) % stops.length]?.focus();
}

document.addEventListener("keydown", (event) => {
  const details = event.target.closest?.(FLOATING);
  if (!details?.open) return;
  if (event.key === "Escape") {
    details.open = false;
    details.querySelector("summary")?.focus();
    event.preventDefault();
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && !event.target.matches("input[type=date]")) {
    moveInside(details, event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
  }
});

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-narrow]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const link of event.target.closest("[data-narrowable]").querySelectorAll("a")) {
    link.hidden = !link.textContent.toLowerCase().includes(wanted);
  }
});
