// The bar under a volume: slice, plane and window; by wheel, keys and right drag as well.
import type { Desk } from "../desk.ts";
import { byId, make } from "../dom.ts";
import { draggedWindow, type Plane, planesOf } from "../open/slices.ts";
import { currentStudy, type State } from "../state.ts";

export function startSliceBar(desk: Desk): void {
  const bar = byId("slices", HTMLElement);
  const range = byId("slice", HTMLInputElement);
  const place = byId("slice-place", HTMLOutputElement);
  const plane = byId("plane", HTMLSelectElement);
  const window = byId("window", HTMLSelectElement);
  const numbers = byId("window-numbers", HTMLOutputElement);
  range.addEventListener("input", () => void desk.toSlice(range.valueAsNumber - 1));
  plane.addEventListener("change", () => void desk.toPlane(plane.value as Plane));
  window.addEventListener("change", () => {
    const slice = currentStudy(desk.store.state)?.slice;
    if (!slice) return;
    const chosen = slice.windows[Number(window.value)];
    void (chosen ? desk.toWindow(chosen) : desk.toWindowFrom(window.value === "automatic" ? "automatic" : "min–max"));
  });

  desk.store.subscribe((state: State) => {
    const slice = currentStudy(state)?.slice ?? null;
    bar.hidden = slice === null;
    if (!slice) return;
    const { view, index, volume } = slice;
    range.max = String(view.slices);
    range.value = String(index + 1);
    range.disabled = view.slices < 2;
    place.value = `${index + 1} of ${view.slices}`;
    const planes = planesOf(volume);
    plane.replaceChildren(...planes.map((name) => make("option", { value: name, selected: name === slice.plane }, name === "stored" ? "as stored" : name)));
    plane.disabled = planes.length < 2;
    const own = slice.windows.findIndex(
      ({ name, center, width }) => name === slice.window.name && center === slice.window.center && width === slice.window.width,
    );
    const options = slice.windows.map(({ name }, i) => make("option", { value: String(i), selected: i === own }, name || `window ${i + 1}`));
    for (const name of ["automatic", "min–max"]) options.push(make("option", { value: name, selected: own < 0 && slice.window.name === name }, name));
    if (own < 0 && !["automatic", "min–max"].includes(slice.window.name)) {
      options.unshift(make("option", { value: "", selected: true }, slice.window.name));
    }
    window.replaceChildren(...options);
    numbers.value = `${rounded(slice.window.center)} ± ${rounded(slice.window.width / 2)}${volume.unit ? ` ${volume.unit}` : ""}`;
  });
}

/** Changes the window of the slice that is shown by a drag of so many CSS pixels; false where there is none. */
export function dragWindow(desk: Desk, dx: number, dy: number): boolean {
  const slice = currentStudy(desk.store.state)?.slice;
  if (!slice) return false;
  void desk.toWindow(draggedWindow(slice.window, dx, dy));
  return true;
}

function rounded(value: number): string {
  return Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}
