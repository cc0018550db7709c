// Ctrl or Cmd and K opens the palette; arrows choose, Enter goes. What it shows comes from /find/.
const palette = document.getElementById("palette");
const field = palette?.querySelector("input");
const hits = () => [...palette.querySelectorAll("[role=option]")];

function choose(hit) {
  for (const other of hits()) {
    other.setAttribute("aria-selected", String(other === hit));
    other.removeAttribute("id");
  }
  if (!hit) return field.removeAttribute("aria-activedescendant");
  // Named only now: htmx would carry the attributes of an equally named line over into the next answer.
  hit.id = "palette-chosen";
  field.setAttribute("aria-activedescendant", hit.id);
  hit.scrollIntoView({ block: "nearest" });
}

const chosen = () => palette.querySelector('[aria-selected="true"]');

function move(step) {
  const all = hits();
  const at = all.indexOf(chosen());
  choose(all[(at + step + all.length) % all.length]);
}

function open() {
  if (palette.open) return palette.close();
  palette.showModal();
  field.select();
  field.dispatchEvent(new CustomEvent("palette-open"));
}

// Opened before htmx has taken the field, it would stay empty: nobody heard that it was opened.
field?.addEventListener("htmx:after:init", () => {
  if (palette.open) field.dispatchEvent(new CustomEvent("palette-open"));
});

document.addEventListener("keydown", (event) => {
  if (!palette || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  open();
});

document.addEventListener("click", (event) => {
  if (!palette || !event.target.closest("[data-palette]")) return;
  event.preventDefault();
  open();
});

field?.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && chosen()) {
    event.preventDefault();
    window.location.assign(chosen().href);
    // A place on this very page changes no document.
    palette.close();
  } else if (event.key === "Escape") {
    // Else a search field is emptied first, and a second press leaves.
    event.preventDefault();
    palette.close();
  }
});

// The first hit is chosen as soon as there is one, so that Enter goes.
if (palette) new MutationObserver(() => choose(hits()[0])).observe(document.getElementById("palette-list"), { childList: true });
