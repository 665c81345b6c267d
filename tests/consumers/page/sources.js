// Every kind of image that a page has: what is encoded of each is the same, to the last digit, as of the pixels.
const SIDE = 256;

/** A gray disc, opaque, so that no element changes a pixel. */
function drawn() {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) pixels.data.fill(Math.hypot((i % SIDE) - 128, Math.floor(i / SIDE) - 128) < 50 ? 200 : 40, 4 * i, 4 * i + 3);
  for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = 255;
  context.putImageData(pixels, 0, 0);
  return { canvas, pixels };
}

async function inElement(canvas) {
  const image = new Image();
  image.src = canvas.toDataURL();
  await image.decode();
  return image;
}

/** Throws where a source gives something else. */
export async function everySource(model) {
  const { canvas, pixels } = drawn();
  const frame = new VideoFrame(canvas, { timestamp: 0 });
  const sources = { canvas, bitmap: await createImageBitmap(canvas), img: await inElement(canvas), frame };
  const raw = { data: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => pixels.data[4 * i]), width: SIDE, height: SIDE, channels: 1 };
  const expected = (await (await model.encode(raw)).save()).data;
  const apart = async (source) => (await (await model.encode(source)).save()).data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  for (const [name, source] of Object.entries(sources)) {
    const most = await apart(source);
    if (most > 0) throw new Error(`${name}: the embedding is ${most} from that of the pixels`);
  }
  frame.close();
}
