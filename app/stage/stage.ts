// The stage: draws image, mask, prompts and crosshair, whenever something changed and never otherwise.
import type { Box } from "../../src/index.ts";
import type { Overlay } from "./overlay.ts";
import type { Prompts } from "../annotate/prompts.ts";
import { centred, fitting, type Pixel, pixelAt, placed, type Place, revealing, type Size, toStage, type View, zoomed } from "./view.ts";

export interface Scene {
  /** Names the image: each has a view of its own. */
  readonly id: string;
  readonly image: CanvasImageSource;
  /** Original pixels, and how tall they are. */
  readonly size: Size;
  readonly prompts: Prompts;
  /** The masks, or none while they are hidden. */
  readonly overlay: Overlay | null;
  /** Whether their areas are tinted. */
  readonly fill: boolean;
  /** What is being drawn: with a brush of so many original pixels, or as a line. */
  readonly stroke: Stroke | null;
  readonly ruler: Ruler | null;
  /** The brush, where the pointer is. */
  readonly brush: { readonly at: Pixel; readonly radius: number } | null;
  /** What the edges of the picture point to, in the patient. */
  readonly letters: { readonly left: string; readonly right: string; readonly top: string; readonly bottom: string } | null;
  /** The outline of the structure as it truly is, in original pixels. */
  readonly truth: Path2D | null;
  /** Of the overlay's tint, 0..1. */
  readonly opacity: number;
  /** A box that is being drawn. */
  readonly draft: Box | null;
  /** The keyboard's cursor, while it is in use. */
  readonly cursor: Pixel | null;
}

export interface Stroke {
  readonly kind: "brush" | "eraser" | "lasso" | "scribble";
  /** Original pixels, as real numbers. */
  readonly points: readonly (readonly [number, number])[];
  /** Original pixels. */
  readonly radius: number;
  readonly colour: string;
}

/** Lines with their lengths in words. */
export interface Ruler {
  readonly lines: readonly { readonly from: readonly [number, number]; readonly to: readonly [number, number]; readonly words: string }[];
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
  #view: View = { scale: 1, x: 0, y: 0, ratio: 1 };
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
      this.setView(place ? placed(place, scene.size, this.size) : fitting(scene.size, this.size));
    }
    this.#invalidate();
  }

  /** Everything once more: the browser lost what was drawn. */
  redraw(): void {
    this.#draw();
  }

  fitWhole(): void {
    if (this.#scene) this.setView(fitting(this.#scene.size, this.size));
  }

  setView(view: View): void {
    this.#view = view;
    const fit = this.#scene ? fitting(this.#scene.size, this.size).scale : view.scale;
    this.#fitted = view.scale <= fit * 1.001;
    if (this.#scene && this.#fitted) this.#places.delete(this.#scene.id);
    else if (this.#scene) this.#places.set(this.#scene.id, centred(view, this.size));
    this.#onView(view.scale);
    this.#invalidate();
  }

  zoom(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    if (this.#scene) this.setView(zoomed(this.#view, this.#scene.size, this.size, factor, x, y));
  }

  reveal(pixel: Pixel): void {
    if (this.#scene && !this.#fitted) this.setView(revealing(this.#view, this.#scene.size, this.size, pixel));
  }

  /** The original pixel in the middle of what is seen. */
  middle(): Pixel {
    const { size } = this.#scene as Scene;
    return pixelAt(this.#view, size, this.size.width / 2, this.size.height / 2) ?? { x: size.width >> 1, y: size.height >> 1 };
  }

  #resize(): void {
    const { width, height } = this.#canvas.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    this.size = { width, height };
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    if (this.#scene)
      this.setView(this.#fitted ? fitting(this.#scene.size, this.size) : zoomed(this.#view, this.#scene.size, this.size, 1, width / 2, height / 2));
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
    const { image, size, overlay, fill, truth, opacity, prompts, draft, cursor, stroke, ruler, brush, letters } = this.#scene;
    const { scale, x, y, ratio: tall } = this.#view;
    context.setTransform(ratio * scale, 0, 0, ratio * scale * tall, ratio * x, ratio * y);
    // Magnified far enough, pixels are what one wants to see.
    context.imageSmoothingEnabled = scale * ratio < 6;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, size.width, size.height);
    if (overlay && fill) this.#drawTint(overlay, opacity);

    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    // A dark line under the bright one keeps the outline visible on any tissue.
    if (overlay) {
      for (const { path, colour, current } of overlay.outlines) {
        this.#strokePath(path, [
          [current ? 3.8 : 2.8, "rgba(0, 0, 0, 0.55)"],
          [current ? 1.9 : 1.1, colour],
        ]);
      }
    }
    if (truth) {
      context.setLineDash([7, 5]);
      this.#strokePath(truth, [
        [4, DARK],
        [2, TRUTH],
      ]);
      context.setLineDash([]);
    }
    if (stroke) this.#drawStroke(stroke);
    if (prompts.box) this.#drawBox(prompts.box, false);
    if (draft) this.#drawBox(draft, true);
    for (const { x: px, y: py, label } of prompts.points) this.#drawPoint(...toStage(this.#view, px + 0.5, py + 0.5), label === 1);
    if (ruler) this.#drawRuler(ruler);
    if (brush) this.#drawBrush(brush.at, brush.radius);
    if (letters) this.#drawLetters(letters);
    if (cursor) this.#drawCursor(...toStage(this.#view, cursor.x + 0.5, cursor.y + 0.5));
  }

  #drawTint({ tint, factor }: Overlay, opacity: number): void {
    const context = this.#context;
    const smoothing = context.imageSmoothingEnabled;
    context.imageSmoothingEnabled = false;
    context.globalAlpha = opacity;
    context.drawImage(tint, 0, 0, tint.width * factor, tint.height * factor);
    context.globalAlpha = 1;
    context.imageSmoothingEnabled = smoothing;
  }

  /** A path in original pixels, with lines as wide everywhere on the screen. */
  #strokePath(path: Path2D, styles: readonly (readonly [width: number, style: string])[]): void {
    const context = this.#context;
    const { scale, x, y, ratio } = this.#view;
    const placed = new Path2D();
    placed.addPath(path, new DOMMatrix([scale, 0, 0, scale * ratio, x, y]));
    context.lineJoin = "round";
    for (const [width, style] of styles) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.stroke(placed);
    }
  }

  #drawStroke({ kind, points, radius, colour }: Stroke): void {
    const context = this.#context;
    const path = new Path2D();
    for (const [i, [px, py]] of points.entries()) {
      const at = toStage(this.#view, px, py);
      if (i === 0) path.moveTo(...at);
      path.lineTo(...at);
    }
    if (kind === "lasso") path.closePath();
    context.lineCap = context.lineJoin = "round";
    const wide = kind === "brush" || kind === "eraser";
    context.globalAlpha = wide ? 0.6 : 1;
    context.lineWidth = wide ? 2 * radius * this.#view.scale : 4;
    context.strokeStyle = wide ? (kind === "eraser" ? "#10181c" : colour) : DARK;
    context.stroke(path);
    context.globalAlpha = 1;
    if (!wide) {
      context.lineWidth = 2;
      context.strokeStyle = colour;
      context.stroke(path);
    }
    context.lineCap = "butt";
  }

  #drawBrush({ x, y }: Pixel, radius: number): void {
    const context = this.#context;
    const { scale, ratio } = this.#view;
    const [left, top] = toStage(this.#view, x + 0.5, y + 0.5);
    context.beginPath();
    context.ellipse(left, top, radius * scale, radius * scale * ratio, 0, 0, 2 * Math.PI);
    this.#strokeLight(1.2);
  }

  #drawRuler({ lines }: Ruler): void {
    const context = this.#context;
    context.font = "13px system-ui, sans-serif";
    for (const { from, to, words } of lines) {
      const [a, b] = [toStage(this.#view, ...from), toStage(this.#view, ...to)];
      const path = new Path2D();
      path.moveTo(...a);
      path.lineTo(...b);
      for (const [x, y] of [a, b]) path.arc(x, y, 3, 0, 2 * Math.PI);
      for (const [width, style] of [
        [4, DARK],
        [2, BOX],
      ] as const) {
        context.lineWidth = width;
        context.strokeStyle = style;
        context.stroke(path);
      }
      const [x, y] = [(a[0] + b[0]) / 2 + 8, (a[1] + b[1]) / 2 - 8];
      context.lineWidth = 4;
      context.strokeStyle = "rgba(0, 0, 0, 0.8)";
      context.strokeText(words, x, y);
      context.fillStyle = "#ffffff";
      context.fillText(words, x, y);
    }
  }

  #drawLetters({ left, right, top, bottom }: NonNullable<Scene["letters"]>): void {
    const context = this.#context;
    const { width, height } = this.size;
    context.font = "600 15px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const [letter, x, y, align] of [
      [left, 16, height / 2, "left"],
      [right, width - 16, height / 2, "right"],
      [top, width / 2, 20, "center"],
      [bottom, width / 2, height - 20, "center"],
    ] as const) {
      context.textAlign = align;
      context.lineWidth = 3;
      context.strokeStyle = "rgba(0, 0, 0, 0.8)";
      context.strokeText(letter, x, y);
      context.fillStyle = "#ffd54a";
      context.fillText(letter, x, y);
    }
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
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
    this.#strokeLight(1);
    context.strokeRect(x - 1, y - 1, 2, 2);
  }

  /** The current path in white on a dark rim, seen on any picture. */
  #strokeLight(width: number): void {
    const context = this.#context;
    for (const [lineWidth, style] of [
      [3, "rgba(0, 0, 0, 0.6)"],
      [width, "#ffffff"],
    ] as const) {
      context.lineWidth = lineWidth;
      context.strokeStyle = style;
      context.stroke();
    }
  }
}
