// The bar under a volume: slices with marks where something is, plane and window; by wheel, keys and right drag as well.
import { currentCase } from "../state.ts";
import { type Plane, planesOf } from "../open/slices.ts";
import { decimal, hasWords, languageNow, t } from "../words/words.ts";
import { Act, useShared } from "./parts.tsx";

export type Mark = "accepted" | "drawn" | "proposed";

export function SliceBar() {
  const { desk, actions, state } = useShared();
  const of = currentCase(state);
  const slice = of?.shown?.slice;
  if (!of || !slice) return <fieldset class="slices" id="slices" hidden />;
  const { view, index, volume, windows, window } = slice;
  const planes = planesOf(volume);
  const own = windows.findIndex(({ name, center, width }) => name === window.name && center === window.center && width === window.width);
  const made = ["automatic", "min–max"] as const;
  return (
    <fieldset class="slices" id="slices" aria-label={t("slices.label")}>
      <label for="slice">{t("slices.slice")}</label>
      <span class="track">
        <input
          type="range"
          id="slice"
          min="1"
          max={view.slices}
          step="1"
          value={index + 1}
          disabled={view.slices < 2}
          onInput={(event) => void desk.toSlice(event.currentTarget.valueAsNumber - 1)}
        />
        <span class="marks" aria-hidden="true">
          {[...actions.marks(of)].map(([at, mark]) => (
            <i key={at} data-mark={mark} style={{ left: `${(100 * (at + 0.5)) / view.slices}%` }} />
          ))}
        </span>
      </span>
      <output id="slice-place" for="slice">
        {t("slices.place", { n: index + 1, of: view.slices })}
      </output>
      <Act
        icon={actions.playing ? "pause" : "play"}
        bare
        label={t("key.cine")}
        command="cine"
        pressed={actions.playing}
        disabled={view.slices < 2}
        onAct={() => actions.run("cine")}
      />
      <Act
        id="views"
        icon="views"
        bare
        label={t("key.views")}
        command="views"
        pressed={state.layout === "four"}
        disabled={planes.length < 2}
        onAct={() => actions.run("views")}
      />
      <label for="plane" class="unseen">
        {t("slices.plane")}
      </label>
      <select
        id="plane"
        title={t("slices.plane")}
        value={slice.plane}
        disabled={planes.length < 2}
        onChange={(event) => void desk.toPlane(event.currentTarget.value as Plane)}
      >
        {planes.map((name) => (
          <option key={name} value={name}>
            {t(`plane.${name}`)}
          </option>
        ))}
      </select>
      <label for="window" class="of-window">
        {t("slices.window")}
      </label>
      <select
        id="window"
        value={own >= 0 ? `${own}` : window.name}
        onChange={(event) => {
          const { value } = event.currentTarget;
          const chosen = windows[Number(value)];
          if (chosen) void desk.toWindow(chosen);
          else if (value === "automatic" || value === "min–max") void desk.toWindowFrom(value);
        }}
      >
        {own < 0 && !made.some((name) => name === window.name) && <option value={window.name}>{t("window.hand")}</option>}
        {windows.map(({ name }, i) => (
          <option key={`${i} ${name}`} value={`${i}`}>
            {windowName(name) || t("window.n", { n: i + 1 })}
          </option>
        ))}
        {made.map((name) => (
          <option key={name} value={name}>
            {t(name === "automatic" ? "window.automatic" : "window.minmax")}
          </option>
        ))}
      </select>
      <output id="window-numbers" for="window">
        {`${rounded(window.center)} ± ${rounded(window.width / 2)}${volume.unit ? ` ${volume.unit}` : ""}`}
      </output>
    </fieldset>
  );
}

/** Those of the presets in the page's language; a file's own name as it is. */
function windowName(name: string): string {
  const key = `window.${name}`;
  return hasWords(key) ? t(key) : name;
}

function rounded(value: number): string {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return decimal(value, 0);
  return value.toLocaleString(languageNow(), { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false });
}
