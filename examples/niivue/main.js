// NiiVue shows a NIfTI; a click on an axial slice gives a mask, drawn as NiiVue's drawing of that slice.
import { Niivue, NVImage } from "@niivue/niivue";
import { SamMed2DWorker } from "sam-med2d-webgpu/client";
import weights from "sam-med2d-webgpu/weights/sam-med2d-tiny.safetensors?url";
import { drawnNifti } from "./drawn_nifti.js";

const status = document.querySelector("#status");
const tell = (error) => {
  status.textContent = error.message;
};
const ready = () => {
  status.textContent = "Ready: click on a structure.";
};

const viewer = new Niivue({ dragAndDropEnabled: false, crosshairWidth: 1, crosshairColor: [0.3, 0.7, 1, 1] });
await viewer.attachTo("gl");
viewer.setDrawOpacity(0.5);
viewer.setSliceType(viewer.sliceTypeAxial);
viewer.setRadiologicalConvention(false);

async function show(buffer, name) {
  // What cannot be read leaves the volume that is there.
  const volume = await NVImage.loadFromUrl({ url: name, name, buffer });
  viewer.closeDrawing();
  for (const one of viewer.volumes.slice()) viewer.removeVolume(one);
  viewer.addVolume(volume);
  viewer.createEmptyDrawing();
  encoded.clear();
}

const worker = new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" });
const loading = SamMed2DWorker.load(worker, { weights });
/** Embeddings by slice. */
const encoded = new Map();

/** The axial slice z as 8-bit gray in the window that NiiVue shows, columns from left to right as in the volume, front on top. */
function sliceOf(volume, z) {
  const [, width, height] = volume.dimsRAS;
  const { cal_min: low, cal_max: high } = volume;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = volume.getValue(x, y, z);
      data[(height - 1 - y) * width + x] = Math.max(0, Math.min(255, (255 * (value - low)) / (high - low)));
    }
  return { data, width, height, channels: 1 };
}

async function segment([x, y, z]) {
  const volume = viewer.volumes[0];
  const model = await loading;
  status.textContent = encoded.has(z) ? "Decoding …" : "Encoding the slice …";
  if (!encoded.has(z)) encoded.set(z, model.encode(sliceOf(volume, z)));
  const [, width, height] = volume.dimsRAS;
  const decoded = await model.decode(await encoded.get(z), { points: [{ x, y: height - 1 - y }] }, { output: "best" });
  // Another file was opened meanwhile.
  if (volume !== viewer.volumes[0]) return;
  const mask = decoded.mask.data;
  const slice = viewer.drawBitmap.subarray(z * width * height, (z + 1) * width * height);
  for (let row = 0; row < height; row++) slice.set(mask.subarray((height - 1 - row) * width, (height - row) * width), row * width);
  viewer.refreshDrawing(true);
  const pixels = mask.reduce((sum, value) => sum + value, 0);
  status.textContent = `Slice ${z}: ${pixels} pixels, predicted IoU ${decoded.scores[decoded.best].toFixed(2)}`;
}

document.querySelector("#file").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  await show(await file.arrayBuffer(), file.name).then(ready, tell);
});

await show(drawnNifti(), "drawn.nii");
viewer.onLocationChange = ({ vox }) => {
  // Also called while the model loads and by scrolling: a mask is made by a click alone.
  if (clicked) segment(vox.map(Math.round)).catch(tell);
  clicked = false;
};
let clicked = false;
const canvas = document.querySelector("#gl");
canvas.addEventListener("pointerdown", ({ button }) => (clicked = button === 0), { capture: true });
canvas.addEventListener("wheel", () => (clicked = false), { capture: true });
loading.then(ready, tell);
