// Where types of a page are not there (Node's, a worker's): what takes or gives such a thing is checked by the rest of it.
import "sam-med2d-webgpu/worker";
import { SamMed2DWorker } from "sam-med2d-webgpu/client";
import { pixelDecoders } from "sam-med2d-webgpu/codecs";
import { decodeEverything } from "sam-med2d-webgpu/everything";
import { openFiles } from "sam-med2d-webgpu/formats";
import { render } from "sam-med2d-webgpu/volume";
import { type ImageSource, listCached, maskToImageData, SamMed2D } from "sam-med2d-webgpu";

export const entries = [SamMed2DWorker, pixelDecoders, openFiles, render, listCached, maskToImageData];

export async function use(): Promise<Uint8Array> {
  const image: ImageSource = { data: new Uint8Array(4), width: 2, height: 2, channels: 1 };
  // @ts-expect-error: not an image here either.
  const other: ImageSource = "image.png";
  const model = await SamMed2D.load({ weights: "synthetic:7" });
  for await (const { found } of decodeEverything(model, other ?? image)) if (found.length > 9) break;
  return (await model.decode(await model.encode(image), { box: [0, 0, 1, 1] }, { output: "best" })).mask.data;
}
