// Light, dark or as the system wishes; remembered in this browser.
const buttons = () => document.querySelectorAll("[data-theme-choice]");

function show() {
  const current = document.documentElement.dataset.theme || "system";
  for (const button of buttons()) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Without storage the choice lasts for this page.
  }
  show();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-choice]");
  if (button) choose(button.dataset.themeChoice);
});

show();
