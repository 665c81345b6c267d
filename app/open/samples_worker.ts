// Draws samples off the main thread: half a second each on a slow machine.
import { DRAW } from "../samples/draw.ts";
import type { SampleId } from "./samples.ts";

self.addEventListener("message", ({ data: id }: MessageEvent<SampleId>) => {
  const drawing = DRAW[id]();
  const { picture, structures } = drawing;
  self.postMessage({ id, drawing }, { transfer: [picture.data.buffer, ...structures.map(({ mask }) => mask.buffer)] });
});
