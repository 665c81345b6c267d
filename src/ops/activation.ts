// Activations by the numbers that shaders/shared/activation.wgsl knows them by.

export type Activation = "none" | "relu" | "gelu" | "sigmoid";

export const ACTIVATION_CODE: Readonly<Record<Activation, number>> = { none: 0, relu: 1, gelu: 2, sigmoid: 3 };

/** f64 oracle; GELU through erf, as nn.GELU() is. */
export function activate(code: number, v: number): number {
  if (code === ACTIVATION_CODE.relu) return Math.max(v, 0);
  if (code === ACTIVATION_CODE.gelu) return 0.5 * v * (1 + erf(v / Math.SQRT2));
  if (code === ACTIVATION_CODE.sigmoid) return 1 / (1 + Math.exp(-v));
  return v;
}

/** erf by its Taylor series near 0 and the continued fraction of erfc further out: about 1e-15. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = a;
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)));
}
