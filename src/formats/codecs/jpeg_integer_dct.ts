// The inverse cosine transform in integers of 13 bits behind the point, as libjpeg has it ("islow"), to the bit.

const [BITS, PASS] = [13, 2];

/** Of eight values, `step` apart, in place; results are shifted down by `shift`. */
function transform(block: Int32Array, at: number, step: number, shift: number): void {
  const [i0, i1, i2, i3] = [block[at] as number, block[at + step] as number, block[at + 2 * step] as number, block[at + 3 * step] as number];
  const [i4, i5, i6, i7] = [block[at + 4 * step] as number, block[at + 5 * step] as number, block[at + 6 * step] as number, block[at + 7 * step] as number];
  const turn = (i2 + i6) * 4433;
  const [even2, even3] = [turn - i6 * 15137, turn + i2 * 6270];
  const [even0, even1] = [(i0 + i4) * 2 ** BITS, (i0 - i4) * 2 ** BITS];
  const evens = [even0 + even3, even1 + even2, even1 - even2, even0 - even3];
  const both = (i7 + i3 + i5 + i1) * 9633;
  const [z1, z2] = [(i7 + i1) * -7373, (i5 + i3) * -20995];
  const [z3, z4] = [(i7 + i3) * -16069 + both, (i5 + i1) * -3196 + both];
  const odds = [i1 * 12299 + z1 + z4, i3 * 25172 + z2 + z3, i5 * 16819 + z2 + z4, i7 * 2446 + z1 + z3];
  const round = 1 << (shift - 1);
  for (let i = 0; i < 4; i++) {
    const [even, odd] = [evens[i] as number, odds[i] as number];
    block[at + i * step] = (even + odd + round) >> shift;
    block[at + (7 - i) * step] = (even - odd + round) >> shift;
  }
}

/** `coefficients` [blocks, 64] in natural order, `stride` blocks a row; gives samples of 8 bits, `stride * 8` a row. */
export function integerDct(coefficients: Int16Array, stride: number, quantization: Float64Array): Uint8Array {
  const plane = new Uint8ClampedArray(coefficients.length);
  const block = new Int32Array(64);
  for (let from = 0; from < coefficients.length; from += 64) {
    for (let i = 0; i < 64; i++) block[i] = (coefficients[from + i] as number) * (quantization[i] as number);
    for (let column = 0; column < 8; column++) transform(block, column, 8, BITS - PASS);
    for (let row = 0; row < 8; row++) transform(block, 8 * row, 1, BITS + PASS + 3);
    const at = from / 64;
    const corner = Math.floor(at / stride) * stride * 64 + (at % stride) * 8;
    for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) plane[corner + y * stride * 8 + x] = (block[8 * y + x] as number) + 128;
  }
  return new Uint8Array(plane.buffer);
}
