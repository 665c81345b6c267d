// How the image lies on the stage: `stage = image * scale + offset`, stage in CSS pixels, image in original pixels, which may be taller than wide.

export interface View {
  /** CSS pixels per original pixel, along a row. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  /** How much taller than wide a pixel is. */
  readonly ratio: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
  /** How much taller than wide a pixel is; 1 where it is not said. */
  readonly ratio?: number;
}

/** An original pixel, by index: `0 <= x < width`. */
export interface Pixel {
  readonly x: number;
  readonly y: number;
}

/** What a zoomed view shows, whatever the stage's size. */
export interface Place {
  readonly scale: number;
  /** The middle of the stage, in original pixels. */
  readonly x: number;
  readonly y: number;
}

/** How far past the fitting view one can zoom, and how many CSS pixels an original pixel can take at least. */
const MOST_ZOOM = 8;
const LARGEST_PIXEL = 24;

/** The whole image, centred, with a margin. */
export function fitting(image: Size, stage: Size, margin = 12): View {
  const { ratio = 1 } = image;
  const scale = Math.max(1e-3, Math.min((stage.width - 2 * margin) / image.width, (stage.height - 2 * margin) / (image.height * ratio)));
  return { scale, ratio, x: (stage.width - image.width * scale) / 2, y: (stage.height - image.height * scale * ratio) / 2 };
}

export function toStage({ scale, x, y, ratio }: View, imageX: number, imageY: number): [number, number] {
  return [imageX * scale + x, imageY * scale * ratio + y];
}

/** Original pixels as real numbers: the middle of pixel 3 is 3.5. */
export function toImage({ scale, x, y, ratio }: View, stageX: number, stageY: number): [number, number] {
  return [(stageX - x) / scale, (stageY - y) / (scale * ratio)];
}

/** The original pixel under a place on the stage, or null beside the image. */
export function pixelAt(view: View, image: Size, stageX: number, stageY: number): Pixel | null {
  const [x, y] = toImage(view, stageX, stageY).map(Math.floor) as [number, number];
  return x >= 0 && y >= 0 && x < image.width && y < image.height ? { x, y } : null;
}

/** The nearest original pixel. */
export function nearestPixel(view: View, image: Size, stageX: number, stageY: number): Pixel {
  const [x, y] = toImage(view, stageX, stageY);
  return { x: clamp(Math.floor(x), 0, image.width - 1), y: clamp(Math.floor(y), 0, image.height - 1) };
}

/** The half-open box that covers both pixels and all between. */
export function boxBetween(a: Pixel, b: Pixel): [number, number, number, number] {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x) + 1, Math.max(a.y, b.y) + 1];
}

/** Zooms by `factor` and keeps the image under (stageX, stageY) where it is. */
export function zoomed(view: View, image: Size, stage: Size, factor: number, stageX: number, stageY: number): View {
  const fit = fitting(image, stage);
  const scale = clamp(view.scale * factor, fit.scale, Math.max(fit.scale * MOST_ZOOM, LARGEST_PIXEL));
  if (scale <= fit.scale * 1.001) return fit;
  const [x, y] = toImage(view, stageX, stageY);
  return held({ scale, ratio: fit.ratio, x: stageX - x * scale, y: stageY - y * scale * fit.ratio }, image, stage);
}

export function panned(view: View, image: Size, stage: Size, dx: number, dy: number): View {
  return held({ ...view, x: view.x + dx, y: view.y + dy }, image, stage);
}

export function centred(view: View, stage: Size): Place {
  const [x, y] = toImage(view, stage.width / 2, stage.height / 2);
  return { scale: view.scale, x, y };
}

/** The view that shows a place on a stage of this size: never less than the whole image fits into. */
export function placed({ scale, x, y }: Place, image: Size, stage: Size): View {
  const { ratio = 1 } = image;
  const view = { scale, ratio, x: stage.width / 2 - x * scale, y: stage.height / 2 - y * scale * ratio };
  return zoomed(view, image, stage, 1, stage.width / 2, stage.height / 2);
}

/** The view moved just so far that the pixel is on the stage, with some room around it. */
export function revealing(view: View, image: Size, stage: Size, pixel: Pixel, room = 24): View {
  const [x, y] = toStage(view, pixel.x + 0.5, pixel.y + 0.5);
  const shift = (at: number, side: number) => (at < room ? room - at : at > side - room ? side - room - at : 0);
  return panned(view, image, stage, shift(x, stage.width), shift(y, stage.height));
}

/** Keeps the stage's middle on the image: loose enough that zooming in never moves what is under the pointer. */
function held({ scale, x, y, ratio }: View, image: Size, stage: Size): View {
  const hold = (offset: number, length: number, room: number) => clamp(offset, room / 2 - length, room / 2);
  return { scale, ratio, x: hold(x, image.width * scale, stage.width), y: hold(y, image.height * scale * ratio, stage.height) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
