// Tabs that don't fit scroll sideways; the current one is in sight from the start.
for (const list of document.querySelectorAll(".tabs-list")) {
  const current = list.querySelector("[aria-current]");
  if (current) list.scrollLeft = current.offsetLeft - (list.clientWidth - current.offsetWidth) / 2;
}
