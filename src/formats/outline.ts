// Outlines of connected parts as polygons: whole coordinates along the edges of pixels, filled to exactly the same pixels.
import { maskToContours } from "../image/contours.ts";
import { paintRuns, type Runs } from "../volume/runs.ts";

/** A polygon [x, y, x, y, …] for each part that touches by edges; undefined where one has a hole, which polygons cannot say. */
export function outlinesOf(runs: Runs, columns: number, rows: number): number[][] | undefined {
  const data = new Uint8Array(columns * rows);
  paintRuns(runs, data);
  const contours = maskToContours({ data, width: columns, height: rows });
  return contours.some(({ holes }) => holes.length > 0) ? undefined : contours.map(({ outer }) => [...outer]);
}
