// 3D Slicer's segmentation (.seg.nrrd): names, colours and codes of its segments from the header; layers where segments overlap.
import type { Geometry } from "../volume/geometry.ts";
import type { Code, Segment, Segmentation, SegmentFrame } from "../volume/segmentation.ts";
import type { Volume } from "../volume/volume.ts";
import { badFile, shown } from "./fail.ts";

interface LayeredSegment {
  readonly segment: Segment;
  readonly layer: number;
  readonly value: number;
}

export function isSegNrrd(keys: ReadonlyMap<string, string>): boolean {
  return keys.has("Segment0_ID") || keys.has("Segment0_LabelValue") || keys.has("Segment0_Name");
}

/** `layers`: the file's volumes, one for each layer. */
export function segmentationOf(keys: ReadonlyMap<string, string>, layers: readonly Volume[], geometry: Geometry | undefined): Segmentation {
  const [first] = layers as [Volume];
  const found = segmentsOf(keys, first.name);
  const frames = layers.flatMap((_, layer) =>
    Array.from({ length: first.slices }, (_, slice): SegmentFrame & { layer: number; slice: number } => ({ layer, slice, references: [] })),
  );
  return {
    name: first.name.replace(/, volume 1 of \d+$/, ""),
    format: "seg-nrrd",
    kind: "labelmap",
    maximum: 65535,
    rows: first.rows,
    columns: first.columns,
    segments: found.map(({ segment }) => segment),
    frames,
    ...(geometry ? { geometry, direction: geometry.direction, spacing: geometry.spacing } : {}),
    referencedSeries: [],
    files: first.files,
    notes: first.notes,
    async frame(index, options) {
      const { layer, slice } = frames[index] as (typeof frames)[number];
      const { data } = await (layers[layer] as Volume).slice(slice, options);
      const numbers = new Map(found.filter((one) => one.layer === layer).map(({ value, segment }) => [value, segment.number]));
      return Uint16Array.from(data, (value) => {
        if (value === 0) return 0;
        if (!Number.isInteger(value) || value < 0 || value > 65535)
          throw badFile(first.name, "label values from 0 to 65535", `${value}`, "Save it as a segmentation again.");
        return numbers.get(value) ?? value;
      });
    },
  };
}

/** Numbered by their label values where no two layers share one, else in their order. */
function segmentsOf(keys: ReadonlyMap<string, string>, path: string): LayeredSegment[] {
  const found: (Omit<LayeredSegment, "segment"> & { segment: Omit<Segment, "number"> })[] = [];
  for (let n = 0; [...["ID", "Name", "LabelValue", "Color"]].some((field) => keys.has(`Segment${n}_${field}`)); n++) {
    const field = (name: string) => unescaped(keys.get(`Segment${n}_${name}`));
    const value = Number(field("LabelValue") ?? n + 1);
    const layer = Number(field("Layer") ?? 0);
    if (!Number.isInteger(value) || value < 0 || value > 65535 || !Number.isInteger(layer) || layer < 0)
      throw badFile(path, `a label value and a layer of segment ${n}`, shown(`${field("LabelValue")}, ${field("Layer")}`), "Save it as a segmentation again.");
    const color = colorOf(field("Color"));
    found.push({
      layer,
      value,
      segment: { label: field("Name") || field("ID") || `Segment ${n + 1}`, ...(color ? { color } : {}), ...termsOf(field("Tags") ?? "") },
    });
  }
  const values = found.map(({ value }) => value);
  const clear = new Set(values).size === values.length && !values.includes(0);
  return found.map(({ segment, value, layer }, n) => ({ layer, value, segment: { ...segment, number: clear ? value : n + 1 } }));
}

/** NRRD writes a line's end as \\n, and a backslash as two. */
function unescaped(text: string | undefined): string | undefined {
  return text?.replace(/\\(.)/g, (_, letter) => (letter === "n" ? " " : letter)).trim();
}

function colorOf(text: string | undefined): [number, number, number] | undefined {
  const parts = (text ?? "").split(/\s+/).map(Number);
  if (parts.length !== 3 || !parts.every((part) => part >= 0 && part <= 1)) return undefined;
  return parts.map((part) => Math.round(255 * part)) as [number, number, number];
}

/** `TerminologyEntry:context~SCT^85756007^Tissue~SCT^10200004^Liver~^^~…|` */
function termsOf(tags: string): { category?: Code; type?: Code } {
  const entry = tags.split("|").find((tag) => tag.startsWith("TerminologyEntry:"));
  const [, category, type] = (entry ?? "").split("~").map((part): Code | undefined => {
    const [scheme, value, meaning] = part.split("^");
    return scheme && value && meaning ? { scheme, value, meaning } : undefined;
  });
  return { ...(category ? { category } : {}), ...(type ? { type } : {}) };
}
