// Names, colours and codes of labels as text, for formats that hold values and have room for a note: PNG, NIfTI.
import type { Label, Labelmap } from "../volume/labelmap.ts";

export function labelText({ labels, slices }: Labelmap, slice?: number): string {
  return JSON.stringify({ ...(slice === undefined ? {} : { slice, slices }), labels });
}

/** What `labelText` wrote; undefined for other texts. */
export function labelsOfText(text: string): readonly Label[] | undefined {
  try {
    const { labels } = JSON.parse(text) as { labels: readonly Label[] };
    const sound = ({ id, name, color }: Label) =>
      Number.isInteger(id) && id >= 1 && id <= 65535 && typeof name === "string" && color.length === 3 && color.every((part) => part >= 0 && part <= 255);
    return Array.isArray(labels) && labels.every(sound) ? labels : undefined;
  } catch {
    return undefined;
  }
}
