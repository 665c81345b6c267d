// Which blocks attend to the whole image: told by the lengths of their relative-position tables.

export interface Blocks {
  readonly globalBlocks: readonly number[];
  /** Side of the local blocks' window. */
  readonly window: number;
}

/**
 * `lengths`: of each block's table, 2·side - 1 for a side of attention. A side of `storedGrid` is the whole image. Where no table has it, position
 * and relative tables were made for different images: of two lengths the longer one is the global blocks', which is resized as SAM resizes it.
 * Gives words for an error where the lengths leave it open.
 */
export function tellBlocks(lengths: readonly number[], storedGrid: number): Blocks | string {
  const whole = 2 * storedGrid - 1;
  const sorted = [...new Set(lengths)].sort((a, b) => a - b);
  const listed = sorted.map((length) => `${length} in blocks ${indices(lengths, (other) => other === length).join(" ")}`).join(", ");
  if (sorted.some((length) => length % 2 === 0)) return `even lengths: ${listed}`;
  const local = sorted.filter((length) => length !== whole);
  if (local.length > 2 || (local.length === 2 && local.length < sorted.length)) return `${sorted.length} lengths: ${listed}`;
  // All blocks with a window smaller than the image: a network without global attention, or one whose image was changed.
  if (local.length === 1 && local.length === sorted.length)
    return `${listed}, for a position table of side ${storedGrid}: which blocks are global can't be told`;
  const global = local.length === 2 ? (local[1] as number) : whole;
  return {
    globalBlocks: indices(lengths, (length) => length === global),
    window: local.length === 0 ? storedGrid : ((local[0] as number) + 1) / 2,
  };
}

function indices(lengths: readonly number[], wanted: (length: number) => boolean): number[] {
  return lengths.flatMap((length, i) => (wanted(length) ? [i] : []));
}
