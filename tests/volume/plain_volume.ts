// A volume as tests need one: what they do not say is the plainest there is.
import type { Volume } from "../../src/volume/volume.ts";

export function plainVolume(given: Pick<Volume, "columns" | "rows" | "slices" | "slice"> & Partial<Volume>): Volume {
  return { name: "v", format: "test", samples: 1, windows: [], inverted: false, files: [], notes: [], ...given };
}
