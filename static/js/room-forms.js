// A form that came into the deal's page goes again by Cancel or Esc: its link leads to the page that stands here already,
// where a browser only jumps. What is being typed elsewhere on the page stays.
const FORMS = ".room-form, .comment-form";
const stoodThere = new WeakMap();

document.addEventListener("htmx:config:request", ({ detail }) => {
  const named = detail.ctx.sourceElement.getAttribute("hx-target") ?? "";
  const slot = named.startsWith("#") && document.querySelector(named);
  if (slot && slot.id !== "main" && !slot.querySelector(FORMS)) stoodThere.set(slot, slot.innerHTML);
});

const slotOf = (element) => {
  for (let one = element; one; one = one.parentElement) if (stoodThere.has(one)) return one;
  return null;
};

function leave(cancel) {
  const slot = slotOf(cancel);
  if (!slot) return window.location.reload();
  slot.innerHTML = stoodThere.get(slot);
  window.htmx.process(slot);
  const opener = `[hx-get][hx-target="#${CSS.escape(slot.id)}"]`;
  (slot.querySelector(opener) ?? document.querySelector(opener))?.focus();
}

const cancelOf = (form) =>
  [...(form?.querySelectorAll("a[href*='#']") ?? [])].find((link) => link.pathname === window.location.pathname);

document.addEventListener("click", (event) => {
  const link = event.target.closest(`:is(${FORMS}) a[href*='#']`);
  if (!link || link.pathname !== window.location.pathname || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  leave(link);
});

document.addEventListener("keydown", (event) => {
  const cancel = event.key === "Escape" && !event.defaultPrevented && cancelOf(event.target.closest?.(FORMS));
  if (cancel) leave(cancel);
});
