// Series that segmentations are drawn on, and what is drawn: nothing on the first slice, two labels that overlap, and one without pixels.
import type { Geometry, Vector3 } from "../../src/volume/geometry.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { plainVolume } from "../volume/plain_volume.ts";

export const STEP: Geometry = {
  spacing: { betweenColumns: 0.7, betweenRows: 1.3, betweenSlices: 4 },
  origin: [-50.5, 20.25, 100],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
const along = (...at: number[]) => at.map((z): Vector3 => [-50.5, 20.25, z]);

export const GEOMETRIES: Record<string, Geometry> = {
  anisotropic: STEP,
  oblique: { ...STEP, direction: [c, -s, 0, s, c, 0, 0, 0, 1] },
  "in reversed order": { ...STEP, direction: [1, 0, 0, 0, -1, 0, 0, 0, -1] },
  tilted: { ...STEP, sliceOrigins: [0, 1, 2, 3, 4].map((k): Vector3 => [-50.5, 20.25 + 0.9 * k, 100 + 4 * k]) },
  "with a missing slice": { ...STEP, sliceOrigins: along(100, 104, 112, 116, 120) },
};

/** 5 slices of 9 × 7: an odd number of pixels, so that frames begin within a byte. */
export function source(geometry: Geometry, frames = false): Volume {
  const [columns, rows, slices] = [9, 7, 5];
  const elements = new Map([
    ["0020000d", { vr: "UI", value: "1.2.3" }],
    ["0020000e", { vr: "UI", value: "1.2.3.4" }],
    ["00100010", { vr: "LO", value: "Ä^B" }],
    ["00101010", { vr: "AS", value: "42" }],
  ]);
  const instances = Array.from({ length: slices }, (_, k) => ({
    sopClass: frames ? "1.2.840.10008.5.1.4.1.1.2.1" : "1.2.840.10008.5.1.4.1.1.2",
    sopInstance: frames ? "1.2.5" : `1.2.5.${k + 1}`,
    ...(frames ? { frame: k + 1 } : {}),
  }));
  return plainVolume({
    format: "dicom",
    columns,
    rows,
    slices,
    geometry,
    dicom: { elements, instances },
    slice: async () => ({ data: new Int16Array(columns * rows), rows, columns, samples: 1 }),
  });
}

export function drawn({ columns, rows, slices }: Pick<Volume, "columns" | "rows" | "slices">): Labelmap {
  const map = new Labelmap(columns, rows, slices, [
    {
      id: 4,
      name: "liver",
      color: [221, 130, 101],
      category: { value: "123037004", scheme: "SCT", meaning: "Anatomical Structure" },
      type: { value: "10200004", scheme: "SCT", meaning: "Liver" },
    },
    { id: 9, name: "Läsion", color: [0, 200, 50] },
    { id: 11, name: "empty", color: [0, 0, 0] },
  ]);
  // Nothing on the first slice, and two labels that overlap on the last.
  const last = slices - 1;
  if (slices > 2) map.draw(4, 1, Uint32Array.of(0, 5, 17, 23));
  map.draw(4, last, Uint32Array.of(columns * rows - 8, columns * rows));
  map.draw(9, last, Uint32Array.of(2, 3, columns * rows - 3, columns * rows), "allow");
  return map;
}
