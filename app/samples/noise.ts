// Repeatable randomness: the same numbers for the same seed and place, on any machine.

/** Uniform in [0, 1) from whole coordinates and a seed. */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x | 0, 0x9e3779b1) ^ Math.imul(y | 0, 0x85ebca6b) ^ Math.imul(seed | 0, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 0x1_0000_0000;
}

/** A stream of uniforms in [0, 1). */
export function stream(seed: number): () => number {
  let i = 0;
  return () => hash(i++, 0x51ed, seed);
}

/** About standard normal: four uniforms are near enough for grain. */
export function normal(x: number, y: number, seed: number): number {
  return (hash(x, y, seed) + hash(x, y, seed + 101) + hash(x, y, seed + 202) + hash(x, y, seed + 303) - 2) * 1.732;
}

/** Smooth noise with features one unit wide, in [-1, 1]. */
export function smooth(x: number, y: number, seed: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const u = ease(x - x0);
  const v = ease(y - y0);
  const top = mix(hash(x0, y0, seed), hash(x0 + 1, y0, seed), u);
  const bottom = mix(hash(x0, y0 + 1, seed), hash(x0 + 1, y0 + 1, seed), u);
  return 2 * mix(top, bottom, v) - 1;
}

/** Octaves of smooth noise, each half as wide and half as strong, in [-1, 1]. */
export function fractal(x: number, y: number, seed: number, octaves = 4): number {
  let sum = 0;
  let weight = 1;
  let total = 0;
  let scale = 1;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * smooth(x * scale, y * scale, seed + octave);
    total += weight;
    weight /= 2;
    scale *= 2;
  }
  return sum / total;
}

export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** 0 below `from`, 1 above `to`, smooth between; `from` may be the larger one. */
export function step(from: number, to: number, value: number): number {
  return ease(Math.min(1, Math.max(0, (value - from) / (to - from))));
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}
