// Samples as the desk takes them, drawn one after the other by a worker.
import { Labelmap } from "../../src/volume/index.ts";
import { type Case, newCase } from "../annotate/case.ts";
import { suggestionOf } from "../annotate/truth.ts";
import { structureName } from "../words/names.ts";
import { t } from "../words/words.ts";
import { shownImage } from "./opening.ts";
import { type DrawnSample, type SampleId, SAMPLES } from "./samples.ts";

/** Calls back with each of these samples when it is drawn, the first one first. */
export function drawSamples(ids: readonly SampleId[], onDrawn: (of: Case) => void, onError: (error: unknown) => void): void {
  if (ids.length === 0) return;
  const worker = new Worker(new URL("./samples_worker.ts", import.meta.url), { type: "module" });
  let left = ids.length;
  worker.addEventListener("message", ({ data: { id, picture, truths: drawn } }: MessageEvent<DrawnSample>) => {
    const sample = SAMPLES.find((known) => known.id === id);
    if (sample) {
      const truths = drawn.map((truth) => ({ ...truth, name: structureName(truth.name) }));
      const suggestion = suggestionOf(t(`sample.try.${sample.id}`), picture.width, truths);
      const sides = { columns: picture.width, rows: picture.height, slices: 1 };
      const labelmap = new Labelmap(sides.columns, sides.rows, 1);
      onDrawn(newCase({ id, name: t(`sample.${sample.id}`), origin: "sample", sides, labelmap, shown: shownImage(id, picture), suggestion, truths }));
    }
    left -= 1;
    if (left === 0) worker.terminate();
  });
  worker.addEventListener("error", (event) => onError(new Error(event.message || "the samples could not be drawn")));
  for (const id of ids) worker.postMessage(id);
}
