// Labels as COCO: an image for each slice with something on it, an annotation for each label there, a category for each label.
import type { Labelmap } from "../volume/labelmap.ts";
import { boundsOf, pixelCount } from "../volume/runs.ts";
import type { Volume } from "../volume/volume.ts";
import { cocoCounts, packCounts } from "./coco.ts";
import { baseName } from "./fail.ts";
import { outlinesOf } from "./outline.ts";

export interface CocoOptions {
  /** Default `polygons`, along the edges of pixels; what has holes is run lengths in any case. */
  readonly shapes?: "polygons" | "run-lengths";
  /** Of the picture of a slice, from 0; default the slice's own file, or the volume's name and the slice's number. */
  readonly fileName?: (slice: number) => string;
}

/** Overlaps are kept. Ids count from 1; categories have the labels' own ids, colours and codes. */
export function writeCoco(labelmap: Labelmap, volume: Volume, { shapes = "polygons", fileName = nameOf(volume) }: CocoOptions = {}): Uint8Array<ArrayBuffer> {
  const { columns, rows, labels } = labelmap;
  const slices = [...new Set(labels.flatMap(({ id }) => labelmap.drawnSlices(id)))].sort((a, b) => a - b);
  const images = slices.map((slice, i) => ({ id: i + 1, file_name: fileName(slice), width: columns, height: rows, slice }));
  const annotations = images.flatMap(({ id: image, slice }) =>
    labels.flatMap(({ id }) => {
      const runs = labelmap.runs(id, slice);
      const box = boundsOf(runs, columns);
      if (!box) return [];
      const polygons = shapes === "polygons" ? outlinesOf(runs, columns, rows) : undefined;
      const segmentation = polygons ?? { size: [rows, columns], counts: packCounts(cocoCounts(runs, columns, rows)) };
      const bbox = [box[0], box[1], box[2] - box[0], box[3] - box[1]];
      return [{ image_id: image, category_id: id, segmentation, area: pixelCount(runs), bbox, iscrowd: 0 }];
    }),
  );
  const categories = labels.map(({ id, name, color, category, type }) => ({ id, name, supercategory: category?.meaning ?? "", color, category, type }));
  const info = { description: volume.name, contributor: "sam-med2d-webgpu", slices: labelmap.slices };
  const file = { info, images, annotations: annotations.map((one, i) => ({ id: i + 1, ...one })), categories };
  return new TextEncoder().encode(`${JSON.stringify(file)}\n`);
}

function nameOf(volume: Volume): (slice: number) => string {
  if (volume.files.length === volume.slices) return (slice) => baseName(volume.files[slice] as string);
  return (slice) => `${volume.name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}_${String(slice).padStart(4, "0")}.png`;
}
