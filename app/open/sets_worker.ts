// Draws the sets to practise on off the main thread, a case at a time, each with its true masks as runs.
import { runsOf } from "../../src/volume/index.ts";
import { drawLesion, LESIONS } from "../samples/sets/lesions.ts";
import { drawNuclei } from "../samples/sets/nuclei.ts";
import { drawSlice, ORGANS, SERIES } from "../samples/sets/series.ts";
import type { Drawing } from "../samples/structure.ts";
import type { DrawnCase, SetId } from "./sets.ts";

self.addEventListener("message", ({ data: set }: MessageEvent<SetId>) => {
  if (set === "series") send(series());
  else if (set === "nuclei") send(pictured("nuclei", drawNuclei()));
  else for (let number = 0; number < LESIONS; number++) send(pictured(`lesion ${number + 1}`, drawLesion(number)));
  self.postMessage(null);
});

function send(drawn: DrawnCase): void {
  self.postMessage(drawn, { transfer: [drawn.picture ? drawn.picture.data.buffer : drawn.values.buffer] });
}

function pictured(id: string, { picture, structures }: Drawing): DrawnCase {
  return { id, picture, truths: structures.map(({ name, mask }) => ({ name, index: 0, runs: runsOf(mask) })) };
}

function series(): DrawnCase {
  const { columns, rows, slices } = SERIES;
  const values = new Int16Array(columns * rows * slices);
  const truths: DrawnCase["truths"][number][] = [];
  for (let index = 0; index < slices; index++) {
    const slice = drawSlice(index);
    values.set(slice.values, index * columns * rows);
    for (const [organ, name] of ORGANS.entries()) {
      const runs = runsOf(slice.parts.map((part) => Number(part === organ + 1)));
      if (runs.length > 0) truths.push({ name, index, runs });
    }
  }
  return { id: "series", values, truths };
}
