// Samples as the desk takes them, drawn one after the other by a worker.
import { canvasOf } from "./images.ts";
import { type Drawing, SAMPLES } from "./samples.ts";
import { newStudy, type Study } from "../state.ts";
import { suggestionOf } from "../annotate/truth.ts";

/** Calls back with each sample when it is drawn, the first one first. */
export function drawSamples(onDrawn: (study: Study) => void, onError: (error: unknown) => void): void {
  const worker = new Worker(new URL("./samples_worker.ts", import.meta.url), { type: "module" });
  let left = SAMPLES.length;
  worker.addEventListener("message", ({ data: { id, drawing } }: MessageEvent<{ id: string; drawing: Drawing }>) => {
    const sample = SAMPLES.find((known) => known.id === id);
    if (sample) {
      const { picture, structures } = drawing;
      const suggestion = suggestionOf(sample.suggestion, drawing);
      onDrawn(newStudy({ id, name: sample.name, origin: "sample", picture, canvas: canvasOf(picture), suggestion, structures }));
    }
    left -= 1;
    if (left === 0) worker.terminate();
  });
  worker.addEventListener("error", (event) => onError(new Error(event.message || "the samples could not be drawn")));
  for (const { id } of SAMPLES) worker.postMessage(id);
}
