// Light, dark, or what the system says; the choice is remembered on this machine.
import { useEffect, useState } from "preact/hooks";
import { t } from "../words/words.ts";
import { Icon, useShared } from "./parts.tsx";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "theme";

export function ThemeButton() {
  useShared();
  const [theme, setTheme] = useState<Theme>(remembered);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  const name = t(`theme.${theme}`);
  return (
    <button
      type="button"
      id="theme"
      class="quiet"
      aria-label={t("theme.label", { theme: name })}
      onClick={() => {
        const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
        remember(next);
        setTheme(next);
      }}
    >
      <Icon name="theme" />
      <span id="theme-name">{name}</span>
    </button>
  );
}

function remembered(): Theme {
  try {
    return THEMES.find((known) => known === localStorage.getItem(KEY)) ?? "system";
  } catch {
    // Storage may be forbidden; the page works without.
    return "system";
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}
