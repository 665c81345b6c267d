// Position tables made on the CPU when the weights are loaded.

/**
 * A position embedding [1, from, from, C] resized to [to, to, C], bilinearly with align_corners = false
 * (torch.nn.functional.interpolate).
 */
export function resizePositions(table: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return table;
  const channels = table.length / (from * from);
  const out = new Float32Array(to * to * channels);
  for (let y = 0; y < to; y++) {
    const [y0, y1, ty] = neighbours(y, from, to);
    for (let x = 0; x < to; x++) {
      const [x0, x1, tx] = neighbours(x, from, to);
      for (let c = 0; c < channels; c++) {
        const at = (row: number, column: number) => table[(row * from + column) * channels + c] as number;
        out[(y * to + x) * channels + c] = (1 - ty) * ((1 - tx) * at(y0, x0) + tx * at(y0, x1)) + ty * ((1 - tx) * at(y1, x0) + tx * at(y1, x1));
      }
    }
  }
  return out;
}

/** A relative-position table [from, d] resized linearly to [to, d], align_corners = false. */
export function resizeRelative(table: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return table;
  const width = table.length / from;
  const out = new Float32Array(to * width);
  for (let i = 0; i < to; i++) {
    const [low, high, t] = neighbours(i, from, to);
    for (let c = 0; c < width; c++) out[i * width + c] = (1 - t) * (table[low * width + c] as number) + t * (table[high * width + c] as number);
  }
  return out;
}

function neighbours(i: number, from: number, to: number): [low: number, high: number, t: number] {
  const position = Math.max(((i + 0.5) * from) / to - 0.5, 0);
  const low = Math.min(Math.floor(position), from - 1);
  return [low, Math.min(low + 1, from - 1), position - low];
}

/**
 * Positional encoding of the cell centres of a grid: [sin z, cos z] with z = 2π (2c - 1) G, c the centre in [0, 1], (x, y).
 * gaussian [2, F] → [grid², 2F].
 */
export function densePositions(gaussian: Float32Array, grid: number): Float32Array {
  const frequencies = gaussian.length / 2;
  const out = new Float32Array(grid * grid * 2 * frequencies);
  for (let token = 0; token < grid * grid; token++) {
    const x = (2 * ((token % grid) + 0.5)) / grid - 1;
    const y = (2 * (Math.floor(token / grid) + 0.5)) / grid - 1;
    for (let f = 0; f < frequencies; f++) {
      const z = 2 * Math.PI * (x * (gaussian[f] as number) + y * (gaussian[frequencies + f] as number));
      out[token * 2 * frequencies + f] = Math.sin(z);
      out[token * 2 * frequencies + frequencies + f] = Math.cos(z);
    }
  }
  return out;
}
