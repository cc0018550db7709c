// Adding colleagues by name: what fits is listed as one types; arrows choose, Enter or Tab takes, Esc leaves. Whom one
// takes becomes a ticked box. Without this the typed names do as well.
const box = document.querySelector("[data-people]");
const input = box?.querySelector("input");
const list = box?.querySelector("[role=listbox]");
let asked = 0;

const chosen = () => list.querySelector('[aria-selected="true"]');

function close() {
  list.hidden = true;
  list.replaceChildren();
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(option) {
  for (const one of list.children) one.setAttribute("aria-selected", String(one === option));
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function boxOf(option) {
  const label = document.createElement("label");
  const tick = Object.assign(document.createElement("input"), { type: "checkbox", name: "people", value: option.dataset.id });
  label.append(tick, ` ${option.dataset.name}`);
  const row = document.createElement("div");
  row.append(label);
  const group = document.querySelector(".plan-people .options");
  (group.firstElementChild ?? group.appendChild(document.createElement("div"))).append(row);
  return tick;
}

function take(option) {
  const known = document.querySelector(`.plan-people input[value="${CSS.escape(option.dataset.id)}"]`);
  (known ?? boxOf(option)).checked = true;
  // Names before the last comma are still to be found by whoever saves.
  input.value = input.value.replace(/[^,]*$/, "").trimStart();
  close();
  input.focus();
}

async function offer() {
  const mine = ++asked;
  const typed = input.value.split(",").pop().trim();
  if (!typed) return close();
  const answer = await fetch(`${box.dataset.people}?q=${encodeURIComponent(typed)}`);
  if (mine !== asked || !answer.ok) return;
  list.innerHTML = await answer.text();
  list.hidden = list.children.length === 0;
  if (list.hidden) return close();
  input.setAttribute("aria-expanded", "true");
  choose(list.children[0]);
}

function onKey(event) {
  if (list.hidden) return;
  const options = [...list.children];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) choose(options[(options.indexOf(chosen()) + step + options.length) % options.length]);
  else if (["Enter", "Tab"].includes(event.key)) take(chosen());
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

if (box) {
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  input.autocomplete = "off";
  input.addEventListener("input", offer);
  input.addEventListener("keydown", onKey, true);
  input.addEventListener("blur", close);
  // Before the box loses focus.
  list.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });
}
