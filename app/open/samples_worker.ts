// Draws samples off the main thread, each with its true masks as runs: half a second each on a slow machine.
import { runsOf } from "../../src/volume/index.ts";
import { DRAW } from "../samples/draw.ts";
import type { DrawnSample, SampleId } from "./samples.ts";

self.addEventListener("message", ({ data: id }: MessageEvent<SampleId>) => {
  const { picture, structures } = DRAW[id]();
  const drawn: DrawnSample = { id, picture, truths: structures.map(({ name, mask }) => ({ name, index: 0, runs: runsOf(mask) })) };
  self.postMessage(drawn, { transfer: [picture.data.buffer] });
});
