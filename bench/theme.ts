// Light, dark, or what the system says; remembered with the app's own choice.

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "theme";

/** Storage may be forbidden; the page works without. */
function stored(action: (storage: Storage) => string | null): string | null {
  try {
    return action(localStorage);
  } catch {
    return null;
  }
}

export function startTheme(toggle: HTMLButtonElement, name: HTMLElement): void {
  let theme: Theme = THEMES.find((known) => known === stored((storage) => storage.getItem(KEY))) ?? "system";
  const apply = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    name.textContent = `${theme[0]?.toUpperCase()}${theme.slice(1)}`;
    toggle.setAttribute("aria-label", `Colours: ${theme}`);
  };
  toggle.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
    stored((storage) => {
      storage.setItem(KEY, theme);
      return null;
    });
    apply();
  });
  apply();
}
