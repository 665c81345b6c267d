// What every page of the matrix does: one box, one mask, on the main thread and in a worker. `result` is what the run waits for.
import { SamError, SamMed2D } from "sam-med2d-webgpu";
import { SamError as ClientError, SamMed2DWorker } from "sam-med2d-webgpu/client";

const SIDE = 256;

/** A bright disc of radius 50 on a dark ground. */
function disc() {
  const data = new Uint8Array(SIDE * SIDE).map((_, i) => (Math.hypot((i % SIDE) - 128, Math.floor(i / SIDE) - 128) < 50 ? 200 : 40));
  return { data, width: SIDE, height: SIDE, channels: 1 };
}

async function segment(model, also) {
  await also?.(model);
  const embedding = await model.encode(disc());
  const { masks, scores, best } = await model.decode(embedding, { box: [70, 70, 186, 186] });
  const outside = await model.decode(embedding, { points: [{ x: 999, y: 0 }] }).catch((error) => error);
  const area = masks[best].data.reduce((sum, value) => sum + value, 0);
  embedding.dispose();
  model.dispose();
  return { area, score: scores[best], refused: outside instanceof SamError && outside instanceof ClientError };
}

/** `makeWorker` gives a worker of "sam-med2d-webgpu/worker"; `also` is asked of the worker's model before: tests/browser/parity.test.ts asks the other. */
export async function segmentTwice(makeWorker, also) {
  try {
    const weights = new URLSearchParams(location.search).get("weights") ?? "/weights.safetensors";
    // A quarter of what the network would compute: what is packed does not depend on it, and twenty pages on processors take minutes.
    const options = { weights, cache: false, imageSize: 128 };
    const main = await segment(await SamMed2D.load(options));
    const worker = makeWorker();
    const inWorker = await segment(await SamMed2DWorker.load(worker, options), also);
    worker.terminate();
    globalThis.result = { main, inWorker };
  } catch (error) {
    globalThis.result = { error: `${error?.stack ?? error}` };
  }
}
