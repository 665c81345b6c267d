// node batch.mjs IMAGES BOXES.json MASKS: a folder of images and boxes to masks. BOXES.json: { "name.png": [[x0, y0, x1, y1], …] }.
import { mkdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { encodeMany, SamMed2D } from "sam-med2d-webgpu";
import sharp from "sharp";
import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
// Exported, so that it is held as long as the program runs: what is collected takes its devices along.
export const gpu = create([]);

const [images = "images", boxesFile = "boxes.json", masks = "masks"] = process.argv.slice(2);
const boxes = JSON.parse(await readFile(boxesFile, "utf8"));
await mkdir(masks, { recursive: true });

const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error("WebGPU finds no adapter. Without a GPU install a software Vulkan driver (Debian: mesa-vulkan-drivers 25 or newer).");
// Without subgroups other kernels run, on a software adapter three times as long.
const device = await adapter.requestDevice({ requiredFeatures: adapter.features.has("subgroups") ? ["subgroups"] : [] });
const model = await SamMed2D.load({ weights: import.meta.resolve("sam-med2d-webgpu/weights/sam-med2d-tiny.safetensors"), device });

const read = async (name) => {
  const { data, info } = await sharp(join(images, name)).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
};
const names = Object.keys(boxes);

// While one image is encoded the next is read.
const pictures = names.map((name) => () => read(name));
for await (const { index, embedding } of encodeMany(model, pictures, { onError: (error) => console.error(error.message) })) {
  const name = names[index];
  // All boxes of an image in one call, and of each the best mask alone.
  const decoded = await model.decode(
    embedding,
    boxes[name].map((box) => ({ box })),
    { output: "best" },
  );
  for (const [i, { mask, scores, best }] of decoded.entries()) {
    const { data, width, height } = mask;
    const file = join(masks, `${basename(name, extname(name))}_${i + 1}.png`);
    await sharp(
      data.map((value) => value * 255),
      { raw: { width, height, channels: 1 } },
    )
      .png()
      .toFile(file);
    console.log(`${file}: ${data.reduce((sum, value) => sum + value, 0)} pixels, predicted IoU ${scores[best].toFixed(2)}`);
  }
  embedding.dispose();
}
model.dispose();
device.destroy();
