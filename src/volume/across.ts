// Slices of a view that runs across the stored slices: each is cut from all of them, so they are kept while they fit into a bound, and else read once for
// as many slices of the view as fit.
import type { Vector3 } from "./geometry.ts";
import { type PlaneMap, toVolumeIndex } from "./plane_map.ts";
import type { Slice, SliceData, Volume } from "./volume.ts";

/** Stored slices that were read, for all views of a volume. */
const kept = new WeakMap<Volume, Slice[]>();

interface Slab {
  readonly first: number;
  readonly slices: Promise<readonly Slice[]>;
}

/** `bytes`: of decoded values that are kept. Gives slice `index` of the view. */
export function slicesAcross(volume: Volume, map: PlaneMap, bytes: number): (index: number, signal?: AbortSignal) => Promise<Slice> {
  const sides: Vector3 = [volume.columns, volume.rows, volume.slices];
  let slab: Slab | undefined;
  /** Bytes of a stored slice. */
  let each = 0;

  return async (index, signal) => {
    const how = signal ? { signal } : {};
    each ||= (await volume.slice(0, how)).data.byteLength;
    if (each * volume.slices <= bytes) {
      const stored = kept.get(volume) ?? [];
      kept.set(volume, stored);
      // Whoever stops leaves what was read to the others.
      for (let i = 0; i < volume.slices; i++) stored[i] ??= await volume.slice(i, how);
      return cutAcross(stored, 0, map, sides, [index, index + 1])[0] as Slice;
    }
    const one = (each / (sides[0] * sides[1])) * (sides[map.axes[0]] as number) * (sides[map.axes[1]] as number);
    const many = Math.max(1, Math.floor(bytes / one));
    const first = index - (index % many);
    for (;;) {
      const own = slab?.first !== first;
      if (own) slab = { first, slices: read(first, Math.min(first + many, sides[map.axes[2]] as number), signal) };
      const { slices } = slab as Slab;
      try {
        return (await slices)[index - first] as Slice;
      } catch (error) {
        if (slab?.slices === slices) slab = undefined;
        // Somebody else's reading may have been stopped by them.
        if (own) throw error;
        signal?.throwIfAborted();
      }
    }
  };

  async function read(first: number, end: number, signal: AbortSignal | undefined): Promise<readonly Slice[]> {
    let made: Slice[] | undefined;
    for (let z = 0; z < volume.slices; z++) {
      const stored = await volume.slice(z, signal ? { signal } : {});
      made = cutAcross([stored], z, map, sides, [first, end], made);
    }
    return made as Slice[];
  }
}

/** Slices of the view from `from` to `end`, as far as `stored`, which begin with slice `z` of the volume, reach; written into `made` where it is given. */
function cutAcross(stored: readonly Slice[], z: number, map: PlaneMap, sides: Vector3, [from, end]: readonly [number, number], made?: Slice[]): Slice[] {
  const [columns, rows] = [sides[map.axes[0]] as number, sides[map.axes[1]] as number];
  const { samples, data } = stored[0] as Slice;
  const make = data.constructor as new (length: number) => SliceData;
  const out = made ?? Array.from({ length: end - from }, () => ({ data: new make(columns * rows * samples), rows, columns, samples }));
  // The stored slices lie along the view's rows or its columns.
  const down = map.axes[1] === 2;
  const length = down ? columns : rows;
  const backwards = map.backwards[down ? 1 : 0];
  for (const [k, { data: source }] of stored.entries()) {
    const at = backwards ? sides[2] - 1 - (z + k) : z + k;
    for (let index = from; index < end; index++) {
      const target = (out[index - from] as Slice).data as SliceData;
      for (let step = 0; step < length; step++) {
        const [column, row] = down ? [step, at] : [at, step];
        const [x, y] = toVolumeIndex(map, sides, [column, row, index]);
        for (let s = 0; s < samples; s++) target[(row * columns + column) * samples + s] = source[(y * sides[0] + x) * samples + s] as number;
      }
    }
  }
  return out;
}
