// What is done to the shape of the current object's mask on the slice that is shown.
import { fillHoles, type Grid, grow, keepLargest, type Runs, runsOnPlane, shrink, smooth } from "../../src/volume/index.ts";
import type { Desk } from "../desk.ts";
import { geometryOf, mapOf } from "../stage/frame.ts";

type Shaping = "fill" | "islands" | "smooth" | "grow" | "shrink";

export function shape(desk: Desk, how: Shaping): void {
  const of = desk.case;
  if (!of?.shown) return;
  const before = desk.annotator.runs(of, of.object);
  if (before.length === 0) return;
  const { width: columns, height: rows } = of.shown.picture;
  const geometry = geometryOf(of.shown) ?? undefined;
  const grid: Grid = { columns, rows, slices: 1, geometry };
  // By one pixel, in mm where pixels have a size.
  const step = geometry ? Math.max(geometry.spacing.betweenColumns, geometry.spacing.betweenRows) * 1.001 : 1;
  const stack = new Map([[0, before]]);
  const shaped: Readonly<Record<Shaping, () => Runs>> = {
    fill: () => fillHoles(before, columns, rows),
    islands: () => keepLargest(before, columns),
    smooth: () => smooth(stack, 0, grid, 2 * step),
    grow: () => grow(stack, 0, grid, step),
    shrink: () => shrink(stack, 0, grid, step),
  };
  desk.annotator.draw({ key: `step.${how}` }, shaped[how]());
}

/** The object's mask of the slice before, or after where nothing is there, as a proposal. */
export function copyFromNext(desk: Desk): void {
  const of = desk.case;
  const { shown, labelmap, place, object } = of ?? {};
  if (!of || !shown?.slice || !labelmap || !place || object === undefined) return;
  const map = mapOf(shown);
  for (const index of [place.index - 1, place.index + 1]) {
    if (index < 0 || index >= shown.slice.view.slices) continue;
    const runs = map ? runsOnPlane(labelmap, object, map, index) : labelmap.runs(object, index);
    if (runs.length === 0) continue;
    desk.annotator.draw({ key: "step.copy" }, runs, "copied");
    return;
  }
}
