// Every kind of use, with the types inferred as a caller would have them.
import { type Box, type Decoded, type LoadOptions, type Mask, type Point, type Progress, SamError, SamMed2D } from "sam-med2d-webgpu";
import { type Mask as ClientMask, type Progress as ClientProgress, type SamError as ClientError, SamMed2DWorker } from "sam-med2d-webgpu/client";

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
