// Coefficients to samples: the inverse cosine transform in doubles, so that 12 bits come out exact but for rounding.

const BASIS = new Float64Array(64);
for (let x = 0; x < 8; x++) for (let u = 0; u < 8; u++) BASIS[8 * x + u] = (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16);

/** `coefficients` [blocks, 64], `stride` blocks a row; gives samples of `bits`, `stride * 8` a row. */
export function inverseDct(coefficients: Int16Array, stride: number, quantization: Float64Array, bits: number): Uint16Array {
  const blocks = coefficients.length / 64;
  const plane = new Uint16Array(coefficients.length);
  const [half, top] = [2 ** (bits - 1), 2 ** bits - 1];
  const rows = new Float64Array(64);
  for (let block = 0; block < blocks; block++) {
    const from = 64 * block;
    for (let v = 0; v < 8; v++) {
      for (let x = 0; x < 8; x++) {
        let sum = 0;
        for (let u = 0; u < 8; u++) {
          const value = coefficients[from + 8 * v + u] as number;
          if (value !== 0) sum += value * (quantization[8 * v + u] as number) * (BASIS[8 * x + u] as number);
        }
        rows[8 * v + x] = sum;
      }
    }
    const corner = Math.floor(block / stride) * stride * 64 + (block % stride) * 8;
    for (let x = 0; x < 8; x++) {
      for (let y = 0; y < 8; y++) {
        let sum = half + 0.5;
        for (let v = 0; v < 8; v++) sum += (rows[8 * v + x] as number) * (BASIS[8 * y + v] as number);
        plane[corner + y * stride * 8 + x] = sum < 0 ? 0 : sum > top ? top : sum;
      }
    }
  }
  return plane;
}
