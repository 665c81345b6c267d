// Prompts on the slices of a volume as JSON: what a person pointed at, to be asked again by any model.
import { SamError } from "../errors.ts";
import type { PlaneName } from "./geometry.ts";
import { planeMap } from "./plane_map.ts";
import type { Volume } from "./volume.ts";

/** What was pointed at of one label on one slice. Coordinates are pixels of the slice in its plane, x to the right, y down. */
export interface SlicePrompts {
  /** Name of the label. */
  readonly label: string;
  readonly plane: PlaneName | "stored";
  /** From 0, in the order of the plane. */
  readonly slice: number;
  readonly points: readonly { readonly x: number; readonly y: number; readonly label: 0 | 1 }[];
  /** Half-open: x0, y0, x1, y1. */
  readonly box?: readonly [number, number, number, number];
}

/** See fetched.ts. */
export function promptsJson({ name, columns, rows, slices }: Volume, prompts: readonly SlicePrompts[]): string {
  return `${JSON.stringify({ volume: { name, columns, rows, slices }, prompts }, null, 2)}\n`;
}

/** See fetched.ts. */
export function readPromptsJson(text: string, volume: Volume, name = "prompts"): readonly SlicePrompts[] {
  const fail = (expected: string, got: string, argument?: string) => {
    const remedy = "Save the prompts again, or open the volume that they were set on.";
    return new SamError({ code: "file", op: name, ...(argument === undefined ? {} : { argument }), expected, got, remedy });
  };
  const file = parsed(text);
  if (!file || !Array.isArray(file.prompts)) throw fail("prompts on a volume: { volume, prompts: [{ label, plane, slice, points, box }] }", "something else");
  const sides = [volume.columns, volume.rows, volume.slices];
  const { columns, rows, slices } = (file.volume ?? {}) as Record<string, unknown>;
  const words = (of: readonly unknown[]) => of.map((side) => (typeof side === "number" ? side : "?")).join("×");
  if (words([columns, rows, slices]) !== words(sides)) throw fail(`prompts on ${words(sides)} voxels (${volume.name})`, `on ${words([columns, rows, slices])}`);
  return file.prompts.map((entry: unknown, i) => {
    const where = `prompts[${i}]`;
    const given = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
    const { label, plane = "stored", slice, points = [], box } = given;
    if (typeof label !== "string" || label === "") throw fail("the name of a label", JSON.stringify(label) ?? "none", where);
    if (!isPlane(plane)) throw fail("a plane: stored, axial, coronal or sagittal", JSON.stringify(plane), where);
    if (plane !== "stored" && !volume.geometry) throw fail("prompts on the slices as they are stored, since the volume does not say how it lies", plane, where);
    const [width, height, count] = plane === "stored" || !volume.geometry ? sides : planeMap(volume.geometry, plane).axes.map((axis) => sides[axis]);
    if (!isWhole(slice, count)) throw fail(`a slice from 0 to ${(count as number) - 1} (${plane})`, JSON.stringify(slice) ?? "none", where);
    if (!Array.isArray(points)) throw fail("a list of points", JSON.stringify(points), where);
    for (const point of points)
      if (!isPoint(point, width, height)) throw fail(`points { x, y, label: 0 or 1 } inside ${width}×${height} pixels`, JSON.stringify(point), where);
    if (box !== undefined && box !== null && !isBox(box, width, height))
      throw fail(`a box [x0, y0, x1, y1] inside ${width}×${height} pixels`, JSON.stringify(box), where);
    if (points.length === 0 && !box) throw fail("a point or a box", "neither", where);
    return { label, plane, slice, points: points.map(({ x, y, label }) => ({ x, y, label })), ...(box ? { box: box as SlicePrompts["box"] & object } : {}) };
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const file = JSON.parse(text.replace(/^\ufeff/, "")) as unknown;
    return typeof file === "object" && file !== null && !Array.isArray(file) ? (file as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isPlane = (plane: unknown): plane is SlicePrompts["plane"] => ["stored", "axial", "coronal", "sagittal"].includes(plane as string);
const isWhole = (value: unknown, end = 0): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;

function isPoint(point: unknown, width = 0, height = 0): point is SlicePrompts["points"][number] {
  const { x, y, label } = (point ?? {}) as Record<string, number>;
  const within = (value: unknown, side: number) => typeof value === "number" && value >= 0 && value < side;
  return within(x, width) && within(y, height) && (label === 0 || label === 1);
}

function isBox(box: unknown, width = 0, height = 0): boolean {
  if (!Array.isArray(box) || box.length !== 4 || !box.every((value) => Number.isFinite(value))) return false;
  const [x0, y0, x1, y1] = box as [number, number, number, number];
  return x0 >= 0 && y0 >= 0 && x0 < x1 && y0 < y1 && x1 <= width && y1 <= height;
}
