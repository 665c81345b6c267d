// The file's own windows: centre and width with their names, and tables of gray (VOI LUT). Values are the modality's.
import type { Window } from "../../volume/volume.ts";
import { lutOf } from "./color.ts";
import type { Dataset } from "./dataset.ts";
import { TAG } from "./tags.ts";

/** Of a data set, or of an item of the frame VOI LUT sequence. */
export function windowsOf(dataset: Dataset, signed: boolean): Window[] {
  const centers = dataset.numbers(TAG.WindowCenter);
  const widths = dataset.numbers(TAG.WindowWidth);
  const names = dataset.texts(TAG.WindowExplanation);
  const shape = shapeOf(dataset.text(TAG.VoiLutFunction));
  const windows: Window[] = [];
  for (const [i, center] of centers.entries()) {
    const width = widths[i] ?? Number.NaN;
    if (!Number.isFinite(center) || !(width > 0)) continue;
    windows.push({ name: names[i] || (centers.length > 1 ? `window ${i + 1}` : "window"), center, width, shape });
  }
  for (const [i, item] of dataset.items(TAG.VoiLutSequence).entries()) {
    const lut = lutOf(item, signed);
    if (!lut) continue;
    const { first, entries, bits } = lut;
    const scale = 2 ** bits - 1;
    const name = item.text(TAG.LutExplanation) ?? `table ${i + 1}`;
    const gray = Float32Array.from(entries, (value) => Math.min(1, value / scale));
    windows.push({ name, center: first + entries.length / 2, width: entries.length, shape: "linear", lut: { first, entries: gray } });
  }
  return windows;
}

function shapeOf(name: string | undefined): Window["shape"] {
  return name === "SIGMOID" ? "sigmoid" : name === "LINEAR_EXACT" ? "linear-exact" : "linear";
}
