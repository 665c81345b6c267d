// What is drawn over the picture: prompts, strokes, rulers, crosshairs, letters. As large on the screen at every zoom.
import type { Box } from "../../src/index.ts";
import type { EdgeLetters } from "../../src/volume/index.ts";
import type { PromptPoint } from "../annotate/prompts.ts";
import type { Rings } from "./outline.ts";
import { type Pixel, type Size, toStage, type View } from "./view.ts";

/** Where it is drawn: a context in CSS pixels of the stage, how the image lies on it, and the stage's size. */
export interface Surface {
  readonly context: CanvasRenderingContext2D;
  readonly view: View;
  readonly size: Size;
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

/** Where the other planes cut this one: at a pixel, along its column and along its row. */
export interface Cross {
  readonly at: Pixel;
  /** Colours of the planes that are seen as the two lines. */
  readonly column: string;
  readonly row: string;
}

const POSITIVE = "#3ddc84";
const NEGATIVE = "#ff6b6b";
const BOX = "#ffd54a";
export const DARK = "rgba(6, 10, 12, 0.78)";
/** CSS pixels around the crosshair's middle that are left free: what it points at is to be seen. */
const GAP = 10;

/** Lines through the whole view, free in the middle. */
export function drawCross({ context, view, size: { width, height } }: Surface, { at, column, row }: Cross): void {
  const [x, y] = toStage(view, at.x + 0.5, at.y + 0.5);
  for (const [colour, lines] of [
    [
      column,
      [
        [x, 0, x, y - GAP],
        [x, y + GAP, x, height],
      ],
    ],
    [
      row,
      [
        [0, y, x - GAP, y],
        [x + GAP, y, width, y],
      ],
    ],
  ] as const) {
    context.beginPath();
    for (const [fromX, fromY, toX, toY] of lines) {
      context.moveTo(fromX, fromY);
      context.lineTo(toX, toY);
    }
    for (const [lineWidth, style] of [
      [3, "rgba(0, 0, 0, 0.45)"],
      [1.2, colour],
    ] as const) {
      context.lineWidth = lineWidth;
      context.strokeStyle = style;
      context.stroke();
    }
  }
}

/** Rings of lines with a square at each corner. */
export function drawCorners({ context, view }: Surface, rings: Rings): void {
  const path = new Path2D();
  const squares = new Path2D();
  for (const ring of rings) {
    ring.forEach((spot, i) => {
      const [x, y] = toStage(view, ...spot);
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
      squares.rect(x - 3.5, y - 3.5, 7, 7);
    });
    path.closePath();
  }
  for (const [width, style] of [
    [3.5, DARK],
    [1.5, "#ffffff"],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(path);
  }
  context.fillStyle = "#ffffff";
  context.fill(squares);
  context.lineWidth = 1.2;
  context.strokeStyle = "#06150c";
  context.stroke(squares);
}

export function drawStroke({ context, view }: Surface, { kind, points, radius, colour }: Stroke): void {
  const path = new Path2D();
  for (const [i, [px, py]] of points.entries()) {
    const at = toStage(view, px, py);
    if (i === 0) path.moveTo(...at);
    path.lineTo(...at);
  }
  if (kind === "lasso") path.closePath();
  context.lineCap = context.lineJoin = "round";
  const wide = kind === "brush" || kind === "eraser";
  context.globalAlpha = wide ? 0.6 : 1;
  context.lineWidth = wide ? 2 * radius * view.scale : 4;
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

export function drawBrush({ context, view }: Surface, { x, y }: Pixel, radius: number): void {
  const { scale, ratio } = view;
  const [left, top] = toStage(view, x + 0.5, y + 0.5);
  context.beginPath();
  context.ellipse(left, top, radius * scale, radius * scale * ratio, 0, 0, 2 * Math.PI);
  strokeLight(context, 1.2);
}

/** Bright on dark: seen on any tissue. */
function inBoxInk(context: CanvasRenderingContext2D, stroke: () => void): void {
  for (const [width, style] of [
    [4, DARK],
    [2, BOX],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    stroke();
  }
}

export function drawRuler({ context, view }: Surface, { lines }: Ruler): void {
  context.font = "13px system-ui, sans-serif";
  for (const { from, to, words } of lines) {
    const [a, b] = [toStage(view, ...from), toStage(view, ...to)];
    const path = new Path2D();
    path.moveTo(...a);
    path.lineTo(...b);
    for (const [x, y] of [a, b]) path.arc(x, y, 3, 0, 2 * Math.PI);
    inBoxInk(context, () => context.stroke(path));
    const [x, y] = [(a[0] + b[0]) / 2 + 8, (a[1] + b[1]) / 2 - 8];
    context.lineWidth = 4;
    context.strokeStyle = "rgba(0, 0, 0, 0.8)";
    context.strokeText(words, x, y);
    context.fillStyle = "#ffffff";
    context.fillText(words, x, y);
  }
}

export function drawLetters({ context, size: { width, height } }: Surface, { left, right, top, bottom }: EdgeLetters, foot: number): void {
  context.font = "600 15px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const [letter, x, y, align] of [
    [left, 16, height / 2, "left"],
    [right, width - 16, height / 2, "right"],
    [top, width / 2, 20, "center"],
    [bottom, width / 2, height - 20 - foot, "center"],
  ] as const) {
    context.textAlign = align;
    context.lineWidth = 3;
    context.strokeStyle = "rgba(0, 0, 0, 0.8)";
    context.strokeText(letter, x, y);
    context.fillStyle = BOX;
    context.fillText(letter, x, y);
  }
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
}

export function drawBox({ context, view }: Surface, [x0, y0, x1, y1]: Box, draft: boolean, pointed = false): void {
  const [left, top] = toStage(view, x0, y0);
  const [right, bottom] = toStage(view, x1, y1);
  context.setLineDash(draft ? [6, 4] : []);
  inBoxInk(context, () => context.strokeRect(left, top, right - left, bottom - top));
  context.setLineDash([]);
  if (!pointed) return;
  context.beginPath();
  context.rect(left - 4, top - 4, right - left + 8, bottom - top + 8);
  strokeLight(context, 1.5);
}

/** A disc with a plus or a minus: the sign tells them apart without colour. */
export function drawPoint({ context, view }: Surface, point: PromptPoint, pointed: boolean): void {
  const [x, y] = toStage(view, point.x + 0.5, point.y + 0.5);
  const positive = point.label === 1;
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
  if (!pointed) return;
  context.beginPath();
  context.arc(x, y, 12, 0, 2 * Math.PI);
  strokeLight(context, 1.5);
}

export function drawCursor({ context, view, size: { width, height } }: Surface, at: Pixel): void {
  const [x, y] = toStage(view, at.x + 0.5, at.y + 0.5);
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
  strokeLight(context, 1);
  context.strokeRect(x - 1, y - 1, 2, 2);
}

/** The current path in white on a dark rim, seen on any picture. */
function strokeLight(context: CanvasRenderingContext2D, width: number): void {
  for (const [lineWidth, style] of [
    [3, "rgba(0, 0, 0, 0.6)"],
    [width, "#ffffff"],
  ] as const) {
    context.lineWidth = lineWidth;
    context.strokeStyle = style;
    context.stroke();
  }
}
