// What of the prompts can be taken hold of on the stage, and what becomes of it.
import type { Box } from "../../src/index.ts";
import type { Prompts } from "../annotate/prompts.ts";
import type { Grip } from "./gestures.ts";
import { type Pixel, toStage, type View } from "./view.ts";

/** CSS pixels around a point, and beside an edge. */
const POINT_REACH = 11;
const EDGE_REACH = 7;

export function gripAt(view: View, { points, box }: Prompts, x: number, y: number): Grip | null {
  for (const [index, point] of [...points.entries()].reverse()) {
    const [left, top] = toStage(view, point.x + 0.5, point.y + 0.5);
    if (Math.hypot(left - x, top - y) <= POINT_REACH) return { kind: "point", index };
  }
  if (!box) return null;
  const [[x0, y0], [x1, y1]] = [toStage(view, box[0], box[1]), toStage(view, box[2], box[3])];
  const inside = x > x0 - EDGE_REACH && x < x1 + EDGE_REACH && y > y0 - EDGE_REACH && y < y1 + EDGE_REACH;
  if (!inside) return null;
  const near = (a: number, b: number) => Math.abs(a - b) <= EDGE_REACH;
  const sides = [near(x, x0), near(y, y0), near(x, x1), near(y, y1)] as const;
  return sides.some(Boolean) ? { kind: "box", sides } : null;
}

/** The prompt at a pixel: the index of a point, or the box where it is on its edge. */
export function promptAt(view: View, prompts: Prompts, pixel: Pixel): number | "box" | null {
  const grip = gripAt(view, prompts, ...toStage(view, pixel.x + 0.5, pixel.y + 0.5));
  return grip?.kind === "point" ? grip.index : grip ? "box" : null;
}

/** The box with the edges that are held at the pixel, never turned inside out. */
export function movedBox([x0, y0, x1, y1]: Box, [left, top, right, bottom]: readonly [boolean, boolean, boolean, boolean], { x, y }: Pixel): Box {
  const [a, b] = left ? [Math.min(x, x1 - 1), x1] : right ? [x0, Math.max(x + 1, x0 + 1)] : [x0, x1];
  const [c, d] = top ? [Math.min(y, y1 - 1), y1] : bottom ? [y0, Math.max(y + 1, y0 + 1)] : [y0, y1];
  return [a, c, b, d];
}
