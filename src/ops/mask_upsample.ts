// Low-resolution logits → the best candidate's binary mask at the image's own size, as bits.
import shader from "../../shaders/mask_upsample.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Twin } from "./twin.ts";

export interface MaskUpsampleOptions {
  readonly label: string;
  /** Side of the model's image, in pixels. */
  readonly size: number;
  /** Of the original image, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Crop offset in model pixels, of padded images. */
  readonly left: number;
  readonly top: number;
  readonly resize: boolean;
  /** Model pixels that the image covers, where it is resized. */
  readonly spanX: number;
  readonly spanY: number;
  /** Logits become probabilities before they are resized. */
  readonly probabilities?: boolean | undefined;
  /** Which masks are candidates: `count` of them from `first` on. */
  readonly first: number;
  readonly count: number;
}

/** Most workgroups along x; a thread takes several words beyond. */
const MAX_GROUPS = 32768;
/** Threads that share a word on a GPU; on a software adapter the barrier costs more than the pixels. */
const SHARED_LANES = 8;

/**
 * logits [B, masks, side, side], heads [B·(masks + 1), columns], the last row of each prompt its masks' predicted IoU
 * → u32 [B, ⌈width·height / 32⌉]: pixel p of the best candidate in bit p mod 32 of word ⌊p / 32⌋.
 */
export function maskUpsample(graph: Graph, logits: Tensor, heads: Tensor, options: MaskUpsampleOptions): Tensor {
  const [batch, masks, side] = logits.shape as [number, number, number, number];
  const { label, size, width, height, left, top, resize, spanX, spanY, probabilities = false, first, count } = options;
  const words = Math.ceil((width * height) / 32);
  const columns = heads.shape[1] as number;
  expectShape("mask_upsample", "heads", heads, [batch * (masks + 1), columns]);
  const y = graph.activation(label, [batch, words], "u32");
  const lanes = graph.target.kind === "cpu" ? 1 : SHARED_LANES;
  const groups = Math.min(MAX_GROUPS, Math.ceil((words * lanes) / 64));
  graph.dispatch({
    op: "mask_upsample",
    label,
    shader,
    reads: { logits, heads },
    writes: { y },
    params: {
      side,
      size,
      width,
      height,
      left,
      top,
      resize: resize ? 1 : 0,
      span_x: spanX,
      span_y: spanY,
      masks,
      first_mask: first,
      candidates: count,
      columns,
      words,
    },
    constants: { PROBABILITIES: probabilities, LANES: lanes },
    workgroups: [groups, batch, 1],
    // Sixteen logits for each pixel, where there is a second step.
    work: { threads: 64, steps: (32 / lanes) * Math.ceil((words * lanes) / 64 / groups) + 1, instructions: resize ? 260 : 80 },
    flop: batch * width * height * 60,
  });
  return y;
}

export const twin: Twin = ({ params, constants, workgroups }, { logits, heads }) => {
  const p = params as Record<
    "side" | "size" | "width" | "height" | "left" | "top" | "resize" | "span_x" | "span_y" | "masks" | "first_mask" | "candidates" | "columns" | "words",
    number
  >;
  const y = new Uint32Array(workgroups[1] * p.words);
  const source = (i: number, from: number, to: number) => Math.max(((i + 0.5) * from) / to - 0.5, 0);
  /** Bilinear sample of `value` on a from × from' raster, at destination pixel (x, y). */
  const sample = (value: (x: number, y: number) => number, sx: number, sy: number, endX: number, endY: number) => {
    const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
    const [x1, y1] = [Math.min(x0 + 1, endX - 1), Math.min(y0 + 1, endY - 1)];
    const [tx, ty] = [sx - x0, sy - y0];
    return (1 - ty) * ((1 - tx) * value(x0, y0) + tx * value(x1, y0)) + ty * ((1 - tx) * value(x0, y1) + tx * value(x1, y1));
  };
  for (let batch = 0; batch < workgroups[1]; batch++) {
    const score = (mask: number) => heads?.[(batch * (p.masks + 1) + p.masks) * p.columns + mask] as number;
    let best = p.first_mask;
    for (let mask = best + 1; mask < p.first_mask + p.candidates; mask++) if (score(mask) > score(best) || Number.isNaN(score(best))) best = mask;
    const base = (batch * p.masks + best) * p.side * p.side;
    const low = (x: number, row: number) => {
      const logit = logits?.[base + row * p.side + x] as number;
      return constants["PROBABILITIES"] ? 1 / (1 + Math.exp(-logit)) - 0.5 : logit;
    };
    const model = (x: number, row: number) => sample(low, source(x, p.side, p.size), source(row, p.side, p.size), p.side, p.side);
    for (let pixel = 0; pixel < p.width * p.height; pixel++) {
      const x = pixel % p.width;
      const row = Math.floor(pixel / p.width);
      const logit = p.resize
        ? sample(model, source(x, p.span_x, p.width), source(row, p.span_y, p.height), p.span_x, p.span_y)
        : model(x + p.left, row + p.top);
      const word = batch * p.words + (pixel >> 5);
      if (logit > 0) y[word] = ((y[word] as number) | (1 << (pixel & 31))) >>> 0;
    }
  }
  return { y };
};
