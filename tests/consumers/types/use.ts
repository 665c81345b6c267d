// Every kind of use, with the types inferred as a caller would have them.
import {
  type Box,
  type Contour,
  type Decoded,
  type DecodedBest,
  encodeMany,
  type LoadOptions,
  type Mask,
  maskFromBits,
  maskToContours,
  type Point,
  type Progress,
  SamError,
  SamMed2D,
  type Segmenter,
} from "sam-med2d-webgpu";
import {
  type Mask as ClientMask,
  type Progress as ClientProgress,
  type SamError as ClientError,
  SamMed2DWorker,
  type Segmenter as ClientSegmenter,
} from "sam-med2d-webgpu/client";
import { decodeEverything } from "sam-med2d-webgpu/everything";
import { propagate } from "sam-med2d-webgpu/volume";

export async function use(image: ImageData, worker: Worker): Promise<Mask> {
  const seen: Progress[] = [];
  const options: LoadOptions = { weights: "synthetic:7", onProgress: (progress) => seen.push(progress) };
  const model = await SamMed2D.load(options);
  const embedding = await model.encode(image);
  const points: Point[] = [{ x: 1, y: 2 }];
  const box: Box = [0, 0, 10, 10];
  const decoded: Decoded = await model.decode(embedding, { points, box });
  const all: Decoded[] = await model.decode(embedding, [{ box }, { points }]);
  const remote = await SamMed2DWorker.load(worker, { weights: new ArrayBuffer(8), onProgress: (progress: ClientProgress) => seen.push(progress) });
  const mask: ClientMask | undefined = (await remote.decode(await remote.encode(image), { box })).masks[0];
  remote.dispose();
  model.dispose();
  const error: ClientError = new SamError({ code: "image", op: "use", expected: "a mask", got: `${all.length}`, remedy: "None." });
  if (!mask) throw error;
  return decoded.masks[decoded.best] ?? mask;
}

/** As React's useState. */
declare function stateOf<S>(initial: S): [S, (next: S) => void];

/** What a component's state infers is a prompt as it is. */
export function Component(model: Segmenter, image: ImageData): Promise<DecodedBest> {
  const [points, setPoints] = stateOf([{ x: 1, y: 2, label: 1 }]);
  const [box, setBox] = stateOf([0, 0, 10, 10]);
  const [none] = stateOf<number[] | null>(null);
  const [label] = stateOf<number | undefined>(undefined);
  const [cancel] = stateOf<AbortController | undefined>(undefined);
  const raw = { data: new Uint8Array(4), width: 2, height: 2, channels: 1 };
  void model.encode(raw, { signal: cancel?.signal }).then((embedding) => model.decode(embedding, { points: [{ x: 1, y: 1, label }], box: none }));
  setPoints([...points, { x: 3, y: 4, label: 0 }]);
  setBox([1, 1, 5, 5]);
  return model.encode(image).then((embedding) => model.decode(embedding, { points, box }, { output: "best" }));
}

/** A model of this thread or of a worker, whichever. */
export async function both(here: SamMed2D, there: SamMed2DWorker, image: ImageData): Promise<Contour[]> {
  const contours: Contour[] = [];
  for (const model of [here, there] satisfies ClientSegmenter[] satisfies Segmenter[]) {
    for await (const { index, embedding } of encodeMany(model, [image, () => image, async () => image], { priority: (i) => -i })) {
      const { bits, width, height } = await model.decode(embedding, { box: [0, 0, index + 1, 1] }, { output: "packed" });
      contours.push(...maskToContours(maskFromBits({ bits, width, height })));
      const logits: Float32Array[] = (await model.decode(embedding, [{}, {}], { output: "logits" })).map((one) => one.logits);
      if (logits.length !== 2) throw new RangeError();
      embedding.dispose();
    }
    for await (const { found } of decodeEverything(model, image)) if (found.length > 9) break;
    const picture = async () => ({ data: new Uint8Array(4), width: 2, height: 2, channels: 1 as const });
    for await (const { runs } of propagate(model, { from: 0, mask: new Uint8Array(4), range: [0, 1], picture })) if (runs.length === 0) break;
    model[Symbol.dispose]();
  }
  return contours;
}
