// The page of the parity tests: drives the built bundle, and hands arrays over as base64.
import { SamMed2D } from "/dist/index.js";

const models = [];
const embeddings = [];

function base64(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** What a page has of an image, by kind. */
async function imageOf({ data, width, height, channels }, kind) {
  const pixels = bytesOf(data);
  if (kind === "raw") return { data: pixels, width, height, channels };
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) rgba.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
  const image = new ImageData(rgba, width, height);
  if (kind === "ImageData") return image;
  if (kind === "ImageBitmap") return createImageBitmap(image);
  if (kind === "VideoFrame") return new VideoFrame(rgba, { format: "RGBX", codedWidth: width, codedHeight: height, timestamp: 0 });
  const canvas = kind !== "OffscreenCanvas" ? Object.assign(document.createElement("canvas"), { width, height }) : new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  if (kind === "HTMLImageElement") {
    const element = Object.assign(new Image(), { src: canvas.toDataURL("image/png") });
    await element.decode();
    return element;
  }
  if (kind === "HTMLVideoElement") {
    const video = Object.assign(document.createElement("video"), { muted: true, srcObject: canvas.captureStream() });
    const frame = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    await Promise.all([video.play(), frame]);
    video.pause();
    return video;
  }
  return canvas;
}

globalThis.parity = {
  /** → what the model says of itself; it is kept under its number. */
  async load(options) {
    const model = await SamMed2D.load(options);
    const { name, device, meaningless } = model;
    return { model: models.push(model) - 1, name, device, meaningless, stats: model.stats() };
  },
  async encode(model, image, options, kind = "raw") {
    const embedding = await models[model].encode(await imageOf(image, kind), options);
    const { data, shape } = await embedding.save();
    return { embedding: embeddings.push(embedding) - 1, data: base64(data), shape };
  },
  async decode(model, embedding, prompts) {
    const given = prompts.map(({ maskInput, ...prompt }) => ({ ...prompt, ...(maskInput ? { maskInput: new Float32Array(bytesOf(maskInput).buffer) } : {}) }));
    const answers = await models[model].decode(embeddings[embedding], given);
    return answers.map(({ masks, scores, logits, best }) => ({
      masks: masks.map(({ data, width, height }) => ({ data: base64(data), width, height })),
      scores: base64(scores),
      logits: base64(logits),
      best,
    }));
  },
  release(embedding) {
    embeddings[embedding].dispose();
  },
  dispose(model) {
    models[model].dispose();
  },
  /** The facts of the error a call ends with. */
  async error(call, ...args) {
    try {
      await globalThis.parity[call](...args);
      return null;
    } catch (error) {
      const { name, code, op, argument, expected, got, remedy, message } = error;
      return { name, code, op, argument, expected, got, remedy, message };
    }
  },
};
globalThis.parityReady = true;
