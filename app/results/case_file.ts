// A case as files take it: a volume, its labels one a structure or one an object, and how each mask came about.
import { Labelmap, union, type Volume } from "../../src/volume/index.ts";
import { type Case, isUntouched, placeOfKey, type Shown } from "../annotate/case.ts";
import { type LabelOf, toLabel } from "../annotate/labels.ts";

/** One label a structure, all its objects together; or one an object, numbered. */
export type Numbering = "structures" | "objects";

export function volumeOf(of: Case, { slice, picture }: Shown): Volume {
  if (slice) return slice.volume;
  const { data, width, height } = picture;
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) rgb.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  const page = {
    name: of.name,
    format: "image",
    columns: width,
    rows: height,
    slices: 1,
    samples: 3,
    windows: [],
    inverted: false,
    files: [of.name],
    notes: [],
  } as const;
  return { ...page, slice: () => Promise.resolve({ data: rgb, rows: height, columns: width, samples: 3 }) };
}

export function labelmapFor(of: Case, labels: readonly LabelOf[], numbering: Numbering): Labelmap | null {
  const { labelmap } = of;
  if (!labelmap) return null;
  const out = new Labelmap(labelmap.columns, labelmap.rows, labelmap.slices);
  const objects = of.objects.filter(({ id }) => labelmap.drawnSlices(id).length > 0);
  objects.forEach((object, i) => {
    const label = toLabel({ ...object, locked: false }, labels);
    const id = numbering === "structures" ? object.label : i + 1;
    out.setLabel({ ...label, id, name: numbering === "structures" ? label.name : `${label.name} ${i + 1}` });
    for (const slice of labelmap.drawnSlices(object.id)) out.draw(id, slice, union(out.runs(id, slice), labelmap.runs(object.id, slice)), "allow");
  });
  return out;
}

/** How each mask came about, beside files that hold pixels only: by model or hand, accepted or only proposed. */
export function provenance(of: Case, labels: readonly LabelOf[], model: string | null): string {
  const objects = of.objects
    .filter(({ id }) => !isUntouched(of, id))
    .map((object) => {
      const { name } = toLabel(object, labels);
      const slices = [...of.works]
        .filter(([key]) => placeOfKey(key).object === object.id)
        .map(([key, { prompts, origin, accepted }]) => {
          const { plane, index } = placeOfKey(key);
          return { plane, slice: index + 1, origin, accepted, points: prompts.points, box: prompts.box };
        });
      // Original pixels of a slice, as they were drawn.
      const { axes } = object;
      const measured = axes && { plane: axes.place.plane, slice: axes.place.index + 1, long: axes.long, short: axes.short };
      return { object: object.id, label: object.label, name, slices, ...(measured && { axes: measured }) };
    });
  return `${JSON.stringify({ case: of.name, status: of.status, note: of.note, model, objects }, null, 2)}\n`;
}
