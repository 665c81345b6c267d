// Halved components at full size, each sample from its two or four nearest, as libjpeg has it ("fancy"), to the bit.

export interface Plane {
  /** [height, stride]; what lies beyond width and height pads blocks. */
  readonly data: Uint8Array;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/** [rows, columns]; `across` and `down` are how much fewer samples the plane has. */
export function enlarged({ data, stride, width, height }: Plane, across: number, down: number, columns: number, rows: number): Uint8Array {
  const out = new Uint8Array(rows * columns);
  const smooth = (across === 2 && width > 2 && (down === 1 || down === 2)) || (across === 1 && down === 2);
  const line = new Int32Array(width);
  for (let y = 0; y < rows; y++) {
    const near = Math.min(height - 1, Math.floor(y / down));
    if (!smooth) {
      for (let x = 0; x < columns; x++) out[y * columns + x] = data[near * stride + Math.floor(x / across)] as number;
      continue;
    }
    const isUpper = y % 2 === 0;
    const far = down === 1 ? near : Math.max(0, Math.min(height - 1, near + (isUpper ? -1 : 1)));
    for (let x = 0; x < width; x++)
      line[x] = down === 1 ? (data[near * stride + x] as number) : 3 * (data[near * stride + x] as number) + (data[far * stride + x] as number);
    const at = y * columns;
    if (across === 1) for (let x = 0; x < columns; x++) out[at + x] = ((line[x] as number) + (isUpper ? 1 : 2)) >> 2;
    else widen(line, out.subarray(at, at + columns), down);
  }
  return out;
}

/** Twice as many samples as `line` has, or one fewer. */
function widen(line: Int32Array, out: Uint8Array, down: number): void {
  // Rounding goes down on the left and up on the right, so that it favours neither.
  const [left, right, shift] = down === 1 ? [1, 2, 2] : [8, 7, 4];
  const last = line.length - 1;
  for (let i = 0; i <= last; i++) {
    const here = line[i] as number;
    const before = i === 0 ? here : (line[i - 1] as number);
    const after = i === last ? here : (line[i + 1] as number);
    out[2 * i] = (3 * here + before + left) >> shift;
    if (2 * i + 1 < out.length) out[2 * i + 1] = (3 * here + after + right) >> shift;
  }
}
