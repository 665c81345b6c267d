// f32 → f16 and bf16, to the nearest, ties to even: what PyTorch does. The way back is in checkpoint.ts.

/** Bits of a single → bits of the nearest half. Past 65504 comes infinity. */
export function toF16Bits(single: number): number {
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  let half: number;
  let rest: number;
  let tie: number;
  if (magnitude >= 0x38800000) {
    half = (magnitude - 0x38000000) >>> 13;
    rest = magnitude & 0x1fff;
    tie = 0x1000;
  } else if (magnitude >= 0x33000000) {
    // A subnormal half counts in steps of 2^-24.
    const shift = 126 - (magnitude >>> 23);
    const mantissa = (magnitude & 0x7fffff) | 0x800000;
    half = mantissa >>> shift;
    rest = mantissa & ((1 << shift) - 1);
    tie = 1 << (shift - 1);
  } else return sign;
  // A carry out of the mantissa lands in the exponent, which is what it means.
  if (rest > tie || (rest === tie && half & 1)) half++;
  return sign | half;
}

/** Bits of a single → bits of the nearest bfloat16. */
export function toBF16Bits(single: number): number {
  if ((single & 0x7fffffff) > 0x7f800000) return ((single >>> 16) | 0x40) & 0xffff;
  return ((single + 0x7fff + ((single >>> 16) & 1)) >>> 16) & 0xffff;
}

export function toHalves(values: Float32Array, dtype: "F16" | "BF16"): Uint8Array<ArrayBuffer> {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  if (dtype === "F16") for (let i = 0; i < out.length; i++) out[i] = toF16Bits(bits[i] as number);
  else for (let i = 0; i < out.length; i++) out[i] = toBF16Bits(bits[i] as number);
  return new Uint8Array(out.buffer);
}
