// The stage: draws image, mask, prompts and crosshair, whenever something changed and never otherwise.
import type { Box } from "../../src/index.ts";
import type { EdgeLetters } from "../../src/volume/index.ts";
import {
  type Cross,
  DARK,
  drawBox,
  drawBrush,
  drawCorners,
  drawCross,
  drawCursor,
  drawLetters,
  drawPoint,
  drawRuler,
  drawStroke,
  type Ruler,
  type Stroke,
} from "./ink.ts";
import type { Rings } from "./outline.ts";
import { drawTint, type Overlay, strokePath } from "./overlay.ts";
import type { Prompts } from "../annotate/prompts.ts";
import { centred, fitting, type Pixel, pixelAt, placed, type Place, revealing, type Size, type View, zoomed } from "./view.ts";

export interface Scene {
  /** Names the image: each has a view of its own. */
  readonly id: string;
  readonly image: CanvasImageSource;
  /** Original pixels, and how tall they are. */
  readonly size: Size;
  readonly prompts: Prompts;
  /** The masks, or none while they are hidden. */
  readonly overlay: Overlay | null;
  /** The object whose outline stands out. */
  readonly lit: number | null;
  /** Whether their areas are tinted. */
  readonly fill: boolean;
  /** What is being drawn: with a brush of so many original pixels, or as a line. */
  readonly stroke: Stroke | null;
  readonly ruler: Ruler | null;
  /** The brush, where the pointer is. */
  readonly brush: { readonly at: Pixel; readonly radius: number } | null;
  /** What the edges of the picture point to, in the patient. */
  readonly letters: EdgeLetters | null;
  /** Corners of the current mask's outline, while they can be dragged. */
  readonly corners: Rings | null;
  /** The prompt that stands out: the index of a point, or the box. */
  readonly pointed: number | "box" | null;
  /** The outline of what a click would give. */
  readonly preview: Path2D | null;
  /** CSS pixels at the foot that something else is on. */
  readonly foot: number;
  /** Where the other planes cut this one. */
  readonly cross: Cross | null;
  /** The outline of the structure as it truly is, in original pixels. */
  readonly truth: Path2D | null;
  /** Of the overlay's tint, 0..1. */
  readonly opacity: number;
  /** A box that is being drawn. */
  readonly draft: Box | null;
  /** The keyboard's cursor, while it is in use. */
  readonly cursor: Pixel | null;
}

/** No colour of a mask, and dashed: told apart without colour too. */
const TRUTH = "#ffffff";

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
    const { image, size, overlay, lit, fill, truth, opacity, prompts, draft, cursor, stroke, ruler, brush, letters, foot, cross, corners, preview, pointed } =
      this.#scene;
    const { scale, x, y, ratio: tall } = this.#view;
    context.setTransform(ratio * scale, 0, 0, ratio * scale * tall, ratio * x, ratio * y);
    // Magnified far enough, pixels are what one wants to see.
    context.imageSmoothingEnabled = scale * ratio < 6;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, size.width, size.height);
    if (overlay && fill) drawTint(context, overlay, opacity);

    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    // A dark line under the bright one keeps the outline visible on any tissue.
    if (overlay) {
      for (const { id, path, colour, current } of overlay.outlines) {
        this.#strokePath(path, [
          ...(id === lit ? ([[7, "rgba(255, 255, 255, 0.8)"]] as const) : []),
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
    if (preview) {
      context.setLineDash([3, 4]);
      this.#strokePath(preview, [
        [3, "rgba(0, 0, 0, 0.4)"],
        [1.4, "rgba(255, 255, 255, 0.85)"],
      ]);
      context.setLineDash([]);
    }
    const surface = { context, view: this.#view, size: this.size };
    if (cross) drawCross(surface, cross);
    if (stroke) drawStroke(surface, stroke);
    if (corners) drawCorners(surface, corners);
    if (prompts.box) drawBox(surface, prompts.box, false, pointed === "box");
    if (draft) drawBox(surface, draft, true);
    for (const [index, point] of prompts.points.entries()) drawPoint(surface, point, index === pointed);
    if (ruler) drawRuler(surface, ruler);
    if (brush) drawBrush(surface, brush.at, brush.radius);
    if (letters) drawLetters(surface, letters, foot);
    if (cursor) drawCursor(surface, cursor);
  }

  /** A path in original pixels, with lines as wide everywhere on the screen. */
  #strokePath(path: Path2D, styles: readonly (readonly [width: number, style: string])[]): void {
    const { scale, x, y, ratio } = this.#view;
    strokePath(this.#context, path, new DOMMatrix([scale, 0, 0, scale * ratio, x, y]), styles);
  }
}
