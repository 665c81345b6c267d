// What the picture on the stage measures: its pixels' shape and size, and what its edges point to.
import { type EdgeLetters, edgeLetters, type Geometry, planeMap, type PlaneMap } from "../../src/volume/index.ts";
import type { Case, Shown } from "../annotate/case.ts";
import type { Size } from "./view.ts";

export function geometryOf(shown: Shown): Geometry | null {
  return shown.slice?.view.geometry ?? null;
}

export function sizeOf(shown: Shown): Size {
  const { width, height } = shown.picture;
  const spacing = geometryOf(shown)?.spacing;
  const ratio = spacing ? spacing.betweenRows / spacing.betweenColumns : 1;
  return { width, height, ratio: ratio > 0 && Number.isFinite(ratio) ? ratio : 1 };
}

/** One mm, or one pixel where no size is known, in original pixels along a row. */
export function unitOf(shown: Shown): { readonly pixels: number; readonly unit: "mm" | "px" } {
  const across = geometryOf(shown)?.spacing.betweenColumns;
  return across ? { pixels: 1 / across, unit: "mm" } : { pixels: 1, unit: "px" };
}

/** mm² of a pixel, or null where no size is known. */
export function areaOf(shown: Shown): number | null {
  const spacing = geometryOf(shown)?.spacing;
  return spacing ? spacing.betweenColumns * spacing.betweenRows : null;
}

/** How the plane that is shown lies in the stored volume; null for the stored slices themselves. */
export function mapOf({ slice }: Shown): PlaneMap | null {
  return slice?.volume.geometry && slice.plane !== "stored" ? planeMap(slice.volume.geometry, slice.plane) : null;
}

export function lettersOf(shown: Shown): EdgeLetters | null {
  return edgeLetters(geometryOf(shown) ?? undefined) ?? null;
}

/** The length of a line of original pixels, in words: `34.2 mm`. */
export function lengthOf(shown: Shown, from: readonly [number, number], to: readonly [number, number]): number {
  const { ratio = 1 } = sizeOf(shown);
  return Math.hypot(to[0] - from[0], (to[1] - from[1]) * ratio) / unitOf(shown).pixels;
}

/** All slices of a plane are looked at from the same place. */
export function viewIdOf(of: Case): string {
  return `${of.id} ${of.place.plane}`;
}
