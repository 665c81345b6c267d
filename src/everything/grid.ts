// Where everything mode points, and on which parts of the image: SAM's automatic mask generator.

export type Crop = readonly [x0: number, y0: number, x1: number, y1: number];

/** Points in the middles of n × n equal cells of a picture of these sides, row by row. */
export function pointGrid(n: number, width: number, height: number): { x: number; y: number }[] {
  return Array.from({ length: n * n }, (_, i) => ({ x: (((i % n) + 0.5) / n) * width, y: ((Math.floor(i / n) + 0.5) / n) * height }));
}

/** The whole image, then for each layer i = 1 … `layers` 4^i crops that overlap by this share of the short side in the first layer, less in the others. */
export function cropBoxes(width: number, height: number, layers: number, overlap: number): { crop: Crop; layer: number }[] {
  const boxes: { crop: Crop; layer: number }[] = [{ crop: [0, 0, width, height], layer: 0 }];
  for (let layer = 1; layer <= layers; layer++) {
    const n = 2 ** layer;
    const shared = Math.floor(overlap * Math.min(width, height) * (2 / n));
    const [w, h] = [width, height].map((side) => Math.ceil((shared * (n - 1) + side) / n)) as [number, number];
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const [x0, y0] = [(w - shared) * i, (h - shared) * j];
        boxes.push({ crop: [x0, y0, Math.min(x0 + w, width), Math.min(y0 + h, height)], layer });
      }
  }
  return boxes;
}

/** A mask's box that ends at its crop's edge, but not at the image's, is of something cut off. Within 20 pixels, as the original has it. */
export function isCutOff(box: Crop, crop: Crop, width: number, height: number): boolean {
  const image = [0, 0, width, height];
  return box.some((edge, i) => Math.abs(edge - (crop[i] as number)) <= 20 && Math.abs(edge - (image[i] as number)) > 20);
}
