// After an @ the names of those who may be meant: arrows choose, Enter or Tab takes, Esc leaves. Typed names do as well.
const STARTED = /(?:^|[\s(])@([^\s@][^@\n]{0,40}|)$/;
let asked = 0;

const listOf = (box) => document.getElementById(box.dataset.mentionList);
const chosen = (list) => list.querySelector('[aria-selected="true"]');

function typedName(box) {
  return box.value.slice(0, box.selectionStart).match(STARTED);
}

function close(box) {
  const list = listOf(box);
  if (!list) return;
  list.hidden = true;
  list.replaceChildren();
  box.removeAttribute("aria-activedescendant");
}

function choose(box, option) {
  for (const one of listOf(box).children) one.setAttribute("aria-selected", String(one === option));
  box.setAttribute("aria-activedescendant", option.id);
}

function take(box, option) {
  const typed = typedName(box);
  if (!typed) return close(box);
  const end = box.selectionStart;
  box.setRangeText(`@${option.dataset.name} `, end - typed[1].length - 1, end, "end");
  close(box);
  box.focus();
}

async function offer(box) {
  const typed = typedName(box);
  const mine = ++asked;
  if (!typed) return close(box);
  const answer = await fetch(`${box.dataset.mentions}?q=${encodeURIComponent(typed[1])}`);
  if (mine !== asked || !answer.ok) return;
  const list = listOf(box);
  list.innerHTML = await answer.text();
  list.hidden = list.children.length === 0;
  if (list.hidden) close(box);
  else choose(box, list.children[0]);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-mentions]")) offer(event.target);
});

document.addEventListener(
  "keydown",
  (event) => {
    const box = event.target;
    if (!box.matches?.("[data-mentions]")) return;
    const list = listOf(box);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      box.form.requestSubmit();
    }
    if (!list || list.hidden) return;
    const options = [...list.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(box, options[(options.indexOf(chosen(list)) + step + options.length) % options.length]);
    else if (["Enter", "Tab"].includes(event.key)) take(box, chosen(list));
    else if (event.key === "Escape") close(box);
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

// Before the box loses focus.
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.(".mention-list [role=option]");
  if (!option) return;
  event.preventDefault();
  take(option.closest(".mention-box").querySelector("[data-mentions]"), option);
});

document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("[data-mentions]")) close(event.target);
});
