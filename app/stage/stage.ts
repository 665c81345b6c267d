// The stage: draws image, mask, prompts and crosshair, whenever something changed and never otherwise.
import type { Box } from "../../src/index.ts";
import type { Overlay } from "./overlay.ts";
import type { Prompts } from "../annotate/session.ts";
import { centred, fitting, type Pixel, pixelAt, placed, type Place, revealing, type Size, toStage, type View, zoomed } from "./view.ts";

export interface Scene {
  /** Names the image: each has a view of its own. */
  readonly id: string;
  readonly image: CanvasImageSource & Size;
  readonly prompts: Prompts;
  readonly overlay: Overlay | null;
  /** The outline of the structure as it truly is, in original pixels. */
  readonly truth: Path2D | null;
  /** Of the overlay's tint, 0..1. */
  readonly opacity: number;
  /** A box that is being drawn. */
  readonly draft: Box | null;
  /** The keyboard's cursor, while it is in use. */
  readonly cursor: Pixel | null;
}

const POSITIVE = "#3ddc84";
const NEGATIVE = "#ff6b6b";
const BOX = "#ffd54a";
/** No colour of a mask, and dashed: told apart without colour too. */
const TRUTH = "#ffffff";
const DARK = "rgba(6, 10, 12, 0.78)";

export class Stage {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #onView: (zoom: number) => void;
  #scene: Scene | null = null;
  #view: View = { scale: 1, x: 0, y: 0 };
  /** Until the user zooms, the image follows the stage's size. */
  #fitted = true;
  #frame = 0;
  /** Where the user had zoomed to, by image; one that is seen whole has none. */
  readonly #places = new Map<string, Place>();
  size: Size = { width: 1, height: 1 };

  constructor(canvas: HTMLCanvasElement, onView: (zoom: number) => void) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("the browser gives no 2-D canvas");
    this.#canvas = canvas;
    this.#context = context;
    this.#onView = onView;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    // Moving the window to another screen changes pixels, not size.
    addEventListener("resize", () => this.#resize());
  }

  get view(): View {
    return this.#view;
  }

  get zoomedIn(): boolean {
    return !this.#fitted;
  }

  show(scene: Scene | null): void {
    const same = scene?.id === this.#scene?.id;
    this.#scene = scene;
    if (!same && scene) {
      const place = this.#places.get(scene.id);
      this.setView(place ? placed(place, scene.image, this.size) : fitting(scene.image, this.size));
    }
    this.#invalidate();
  }

  /** Everything once more: the browser lost what was drawn. */
  redraw(): void {
    this.#draw();
  }

  fitWhole(): void {
    if (this.#scene) this.setView(fitting(this.#scene.image, this.size));
  }

  setView(view: View): void {
    this.#view = view;
    const fit = this.#scene ? fitting(this.#scene.image, this.size).scale : view.scale;
    this.#fitted = view.scale <= fit * 1.001;
    if (this.#scene && this.#fitted) this.#places.delete(this.#scene.id);
    else if (this.#scene) this.#places.set(this.#scene.id, centred(view, this.size));
    this.#onView(view.scale);
    this.#invalidate();
  }

  zoom(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    if (this.#scene) this.setView(zoomed(this.#view, this.#scene.image, this.size, factor, x, y));
  }

  reveal(pixel: Pixel): void {
    if (this.#scene && !this.#fitted) this.setView(revealing(this.#view, this.#scene.image, this.size, pixel));
  }

  /** The original pixel in the middle of what is seen. */
  middle(): Pixel {
    const { image } = this.#scene as Scene;
    return pixelAt(this.#view, image, this.size.width / 2, this.size.height / 2) ?? { x: image.width >> 1, y: image.height >> 1 };
  }

  #resize(): void {
    const { width, height } = this.#canvas.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    this.size = { width, height };
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    if (this.#scene)
      this.setView(this.#fitted ? fitting(this.#scene.image, this.size) : zoomed(this.#view, this.#scene.image, this.size, 1, width / 2, height / 2));
    // A canvas that changed size is blank until drawn, so this can't wait for the next frame.
    this.#draw();
  }

  #invalidate(): void {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const context = this.#context;
    const ratio = this.#canvas.width / this.size.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (!this.#scene) return;
    const { image, overlay, truth, opacity, prompts, draft, cursor } = this.#scene;
    const { scale, x, y } = this.#view;
    context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
    // Magnified far enough, pixels are what one wants to see.
    context.imageSmoothingEnabled = scale * ratio < 6;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, image.width, image.height);
    if (overlay) this.#drawOverlay(overlay, opacity);
    if (truth) this.#drawTruth(truth);

    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (prompts.box) this.#drawBox(prompts.box, false);
    if (draft) this.#drawBox(draft, true);
    for (const { x: px, y: py, label } of prompts.points) this.#drawPoint(...toStage(this.#view, px + 0.5, py + 0.5), label === 1);
    if (cursor) this.#drawCursor(...toStage(this.#view, cursor.x + 0.5, cursor.y + 0.5));
  }

  #drawOverlay({ tint, outline, factor, colour }: Overlay, opacity: number): void {
    const context = this.#context;
    const smoothing = context.imageSmoothingEnabled;
    context.imageSmoothingEnabled = false;
    context.globalAlpha = opacity;
    context.drawImage(tint, 0, 0, tint.width * factor, tint.height * factor);
    context.globalAlpha = 1;
    context.imageSmoothingEnabled = smoothing;
    context.lineJoin = "round";
    // A dark line under the bright one keeps the outline visible on any tissue.
    for (const [width, style] of [
      [3.6, "rgba(0, 0, 0, 0.55)"],
      [1.7, colour],
    ] as const) {
      context.lineWidth = width / this.#view.scale;
      context.strokeStyle = style;
      context.stroke(outline);
    }
  }

  #drawTruth(outline: Path2D): void {
    const context = this.#context;
    const { scale } = this.#view;
    context.lineJoin = "round";
    context.setLineDash([7 / scale, 5 / scale]);
    for (const [width, style] of [
      [4, DARK],
      [2, TRUTH],
    ] as const) {
      context.lineWidth = width / scale;
      context.strokeStyle = style;
      context.stroke(outline);
    }
    context.setLineDash([]);
  }

  #drawBox([x0, y0, x1, y1]: Box, draft: boolean): void {
    const context = this.#context;
    const [left, top] = toStage(this.#view, x0, y0);
    const [right, bottom] = toStage(this.#view, x1, y1);
    context.setLineDash(draft ? [6, 4] : []);
    for (const [width, style] of [
      [4, DARK],
      [2, BOX],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.strokeRect(left, top, right - left, bottom - top);
    }
    context.setLineDash([]);
  }

  /** A disc with a plus or a minus: the sign tells them apart without colour. */
  #drawPoint(x: number, y: number, positive: boolean): void {
    const context = this.#context;
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.fillStyle = positive ? POSITIVE : NEGATIVE;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = DARK;
    context.stroke();
    context.beginPath();
    context.moveTo(x - 4, y);
    context.lineTo(x + 4, y);
    if (positive) {
      context.moveTo(x, y - 4);
      context.lineTo(x, y + 4);
    }
    context.strokeStyle = "#06150c";
    context.stroke();
  }

  #drawCursor(x: number, y: number): void {
    const context = this.#context;
    const { width, height } = this.size;
    context.beginPath();
    for (const [fromX, fromY, toX, toY] of [
      [0, y, x - 9, y],
      [x + 9, y, width, y],
      [x, 0, x, y - 9],
      [x, y + 9, x, height],
    ] as const) {
      context.moveTo(fromX, fromY);
      context.lineTo(toX, toY);
    }
    for (const [lineWidth, style] of [
      [3, "rgba(0, 0, 0, 0.6)"],
      [1, "#ffffff"],
    ] as const) {
      context.lineWidth = lineWidth;
      context.strokeStyle = style;
      context.stroke();
    }
    context.strokeRect(x - 1, y - 1, 2, 2);
  }
}
