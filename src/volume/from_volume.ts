// A volume of label values (NIfTI, NRRD, MetaImage, a palette PNG) as a labelmap: work goes on where a file stopped.
import { SamError } from "../errors.ts";
import { labelColor } from "./label_color.ts";
import { Labelmap } from "./labelmap.ts";
import { runsByValue } from "./runs.ts";
import type { Volume } from "./volume.ts";

/** More values than this are an image, not labels. */
const MAX_LABELS = 1000;

/** See fetched.ts. */
export async function labelmapOf(volume: Volume, names: ReadonlyMap<number, string> = new Map(), signal?: AbortSignal): Promise<Labelmap> {
  const { columns, rows, slices, palette, labels = [] } = volume;
  const named = new Map(labels.map((label) => [label.id, label]));
  const labelmap = new Labelmap(columns, rows, slices, labels);
  const fail = (got: string) => {
    const expected = "label values, whole numbers from 0 to 65535";
    return new SamError({ code: "file", op: volume.name, expected, got, remedy: "Open a file of labels, not an image." });
  };
  if (volume.samples > 1) throw fail(`${volume.samples} samples a voxel`);
  for (let k = 0; k < slices; k++) {
    const { data } = await volume.slice(k, signal ? { signal } : {});
    for (const [value, runs] of runsByValue(data)) {
      if (!Number.isInteger(value) || value < 0 || value > 65535) throw fail(`the value ${value} on slice ${k}`);
      if (!named.has(value)) {
        const color = palette ? ([0, 1, 2].map((i) => palette[3 * value + i] ?? 0) as [number, number, number]) : labelColor(value);
        const label = { id: value, name: names.get(value) ?? `Label ${value}`, color };
        named.set(value, label);
        if (named.size > MAX_LABELS) throw fail(`more than ${MAX_LABELS} values`);
        labelmap.setLabel(label);
      }
      labelmap.draw(value, k, runs, "allow");
    }
  }
  return labelmap;
}
