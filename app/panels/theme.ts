// Light, dark, or what the system says; the choice is remembered on this machine.

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "theme";

export function startTheme(toggle: HTMLButtonElement, name: HTMLElement): void {
  let theme: Theme = THEMES.find((known) => known === remembered()) ?? "system";
  const apply = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    name.textContent = theme[0]?.toUpperCase() + theme.slice(1);
    toggle.setAttribute("aria-label", `Colours: ${theme}`);
  };
  toggle.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
    remember(theme);
    apply();
  });
  apply();
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // Storage may be forbidden; the page works without.
    return null;
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}
