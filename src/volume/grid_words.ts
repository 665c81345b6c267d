// How two grids of voxels differ, in words.
import { axis, dot, type Geometry, length, add } from "./geometry.ts";
import type { Grid } from "./morphology.ts";

const sides = ({ columns, rows, slices }: Grid) => `${columns}×${rows}×${slices}`;
const steps = ({ spacing }: Geometry) => [spacing.betweenColumns, spacing.betweenRows, spacing.betweenSlices].map((mm) => Number(mm.toPrecision(4))).join("×");

/** "24×38×3 voxels of 0.7×0.7×2.5 mm" */
export function gridWords(grid: Grid, geometry = grid.geometry): string {
  return `${sides(grid)} voxels${geometry ? ` of ${steps(geometry)} mm` : ""}`;
}

/** One clause for each thing in which `grid` is not as `wanted`; never empty. */
export function differences(grid: Grid, wanted: Grid): string[] {
  const found: string[] = [];
  if (sides(grid) !== sides(wanted)) found.push(`${sides(grid)} voxels instead of ${sides(wanted)}`);
  const [a, b] = [grid.geometry, wanted.geometry];
  if (!a || !b) return found.length > 0 ? found : [a ? "labels with a position on a volume without" : "labels that do not say where they lie"];
  if (steps(a) !== steps(b)) found.push(`voxels of ${steps(a)} mm instead of ${steps(b)} mm`);
  const degrees = ([0, 1, 2] as const).map((which) => (Math.acos(Math.max(-1, Math.min(1, dot(axis(a, which), axis(b, which))))) * 180) / Math.PI);
  const most = Math.max(...degrees);
  if (most > 0.5) found.push(`axes that run in other directions (by ${most.toFixed(0)}°)`);
  const off = length(add(a.origin, b.origin, -1));
  const place = (at: readonly number[]) => at.map((mm) => mm.toFixed(1)).join(", ");
  if (off > 0.05) found.push(`the first voxel at ${place(a.origin)} mm instead of ${place(b.origin)} mm`);
  if (Boolean(a.sliceOrigins) !== Boolean(b.sliceOrigins) || (a.sliceOrigins && found.length === 0)) found.push("other steps between slices");
  return found.length > 0 ? found : ["voxels that lie between the volume's"];
}
