// One operation on a label, on the slices asked for or through the volume, as changes to be taken back.
import { expectHas, expectKnown, expectLabelmap, refused } from "./fail.ts";
import { type Geometry, pixelArea, thicknesses } from "./geometry.ts";
import type { Labelmap, LabelmapChange, Overlap } from "./labelmap.ts";
import { boundary, type Grid, grow, shrink, smooth, type Stack } from "./morphology.ts";
import { connectedVolumes, dropIslands, fillHoles, keepLargest } from "./parts.ts";
import { NO_RUNS, pixelCount, type Runs, union } from "./runs.ts";

/**
 * Lengths are mm, areas mm² and volumes mm³ by the geometry given; without one pixels and voxels.
 * - `grow`, `shrink`: a margin of `mm` around voxel centres
 * - `smooth`: by the majority within `mm`
 * - `boundary`: only the outermost pixels stay
 * - `fill-holes`: what the picture's edge does not reach
 * - `keep-largest`: the largest connected part, neighbours by corners included
 * - `drop-islands`: parts `below` an area, or through slices a volume, go
 */
export type LabelEdit =
  | { readonly kind: "grow" | "shrink" | "smooth"; readonly mm: number }
  | { readonly kind: "boundary" | "fill-holes" | "keep-largest" }
  | { readonly kind: "drop-islands"; readonly below: number };

export interface EditOptions {
  /** Those on which something changes; all of the volume when left out. */
  readonly slices?: readonly number[];
  /** In three dimensions: distances, majorities and parts go from slice to slice. Holes and boundaries are always those of a slice. */
  readonly through?: boolean;
  /** Of the volume drawn on. */
  readonly geometry?: Geometry | undefined;
  /** What becomes of other labels' pixels; default `keep`: a margin takes nothing from a neighbour. */
  readonly overlap?: Overlap;
}

const MARGINS = { grow, shrink, smooth };
/** What each kind takes beside its name. */
const KINDS: Readonly<Record<string, string>> = {
  grow: "mm",
  shrink: "mm",
  smooth: "mm",
  boundary: "",
  "fill-holes": "",
  "keep-largest": "",
  "drop-islands": "below",
};

/** Gives what changed; nothing of a locked label. Throws a SamError for unknown kinds and names, and lengths or sizes that are no numbers from 0. */
export function editLabel(labelmap: Labelmap, label: number, edit: LabelEdit, options: EditOptions = {}): readonly LabelmapChange[] {
  expectLabelmap("editLabel", labelmap);
  expectHas("editLabel", "edit", edit, ["kind"], 'an edit, { kind: "smooth", mm: 2 } say');
  const field = KINDS[edit.kind];
  if (field === undefined) throw refused("editLabel", "kind", Object.keys(KINDS).join(", "), edit.kind, "Choose one of them.");
  expectKnown("editLabel", edit, field ? ["kind", field] : ["kind"]);
  expectKnown("editLabel", options, ["slices", "through", "geometry", "overlap"]);
  const { columns, rows, slices } = labelmap;
  const { through = false, geometry, overlap = "keep" } = options;
  const size: number | undefined = (edit as Record<string, unknown>)[field] as never;
  if (field && !((size as number) >= 0 && Number.isFinite(size)))
    throw refused(edit.kind, field, "a number from 0", size, "Give a length in mm, or a size in mm² (mm³ through slices).");
  const stack = labelmap.stack(label);
  const grid: Grid = { columns, rows, slices, geometry };
  const edited = through ? editedThrough(stack, grid, edit) : (slice: number) => editedSlice(stack, slice, grid, edit);
  const wanted =
    options.slices ?? (through && (edit.kind === "grow" || edit.kind === "smooth") ? Array.from({ length: slices }, (_, k) => k) : [...stack.keys()]);
  // All of it from what was there before any of it changes.
  const drawn = [...new Set(wanted)].sort((a, b) => a - b).map((slice) => [slice, edited(slice)] as const);
  return drawn.flatMap(([slice, runs]) => labelmap.draw(label, slice, runs, overlap));
}

function editedSlice(stack: Stack, slice: number, grid: Grid, edit: LabelEdit): Runs {
  const runs = stack.get(slice) ?? NO_RUNS;
  if (runs.length === 0) return runs;
  if ("mm" in edit) return MARGINS[edit.kind](stack, slice, grid, edit.mm);
  if (edit.kind === "boundary") return boundary(runs, grid.columns, grid.rows);
  if (edit.kind === "fill-holes") return fillHoles(runs, grid.columns, grid.rows);
  if (edit.kind === "drop-islands") return dropIslands(runs, grid.columns, edit.below / (grid.geometry ? pixelArea(grid.geometry) : 1) - 1e-9);
  return keepLargest(runs, grid.columns);
}

function editedThrough(stack: Stack, grid: Grid, edit: LabelEdit): (slice: number) => Runs {
  if ("mm" in edit) return (slice) => MARGINS[edit.kind](stack, slice, grid, edit.mm, true);
  if (edit.kind === "boundary" || edit.kind === "fill-holes") return (slice) => editedSlice(stack, slice, grid, edit);
  const parts = connectedVolumes(stack, grid.columns, true);
  const kept = edit.kind === "drop-islands" ? parts.filter((part) => volumeOf(part, grid) >= edit.below - 1e-9) : parts.slice(0, 1);
  return (slice) => kept.reduce((runs, part) => union(runs, part.get(slice) ?? NO_RUNS), NO_RUNS);
}

function volumeOf(part: Stack, { geometry, slices }: Grid): number {
  const thick = thicknesses(geometry, slices);
  const area = geometry ? pixelArea(geometry) : 1;
  return [...part].reduce((sum, [slice, runs]) => sum + pixelCount(runs) * area * (thick[slice] as number), 0);
}
