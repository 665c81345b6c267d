// Colours of labels that have none.

/** Hues that stay apart, for labels without a colour: the golden angle around the circle. */
export function labelColor(id: number): [number, number, number] {
  const hue = (id * 137.508) % 360;
  const channel = (n: number) => {
    const k = (n + hue / 60) % 6;
    return Math.round(255 * (0.95 - 0.7 * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}
