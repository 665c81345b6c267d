// Non-maximal suppression of boxes.

export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** Indices to keep, best scores first; of equal scores the earlier. A box goes when its IoU with a kept one is above the threshold. */
export function suppress(boxes: readonly Box[], scores: readonly number[], threshold: number): number[] {
  const order = boxes.map((_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  const kept: number[] = [];
  for (const i of order) if (kept.every((j) => !(boxIou(boxes[i] as Box, boxes[j] as Box) > threshold))) kept.push(i);
  return kept;
}

function boxIou(a: Box, b: Box): number {
  const shared = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  return shared / (sides(a) + sides(b) - shared);
}

function sides([x0, y0, x1, y1]: Box): number {
  return (x1 - x0) * (y1 - y0);
}
