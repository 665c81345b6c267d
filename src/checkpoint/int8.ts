// int8 weights: an I8 tensor `name` and its F32 scales `name.scale`, weight = q * scale, symmetric, q in [-127, 127].
// The scales have the rank of the weight and ones in every dimension but that of the output channels (or are a plain
// vector along the first), so that the file says itself which dimension that is.
import { elements, type Shape } from "../graph/tensor.ts";
import { bad, DAMAGED } from "../bytes/fail.ts";
import { SCALE_SUFFIX } from "./checkpoint.ts";

/** Where the scale of an element is: `scales[floor(element / inner) % scales.length]`. */
export interface Int8Scales {
  readonly scales: Float32Array;
  readonly inner: number;
}

/** Dimension of the output channels: the second of a transposed convolution, the first of all else. */
export function channelAxis(name: string): number {
  return /\.Adapter\.spatial\.2\.weight$|\.output_upscaling\.[03]\.weight$/.test(name) ? 1 : 0;
}

export function scaleShape(shape: Shape, axis: number): Shape {
  return shape.map((side, d) => (d === axis ? side : 1));
}

/** How many elements in a row share a scale; throws unless the scales fit the weight. */
export function scaleInner(label: string, name: string, shape: Shape, scale: Shape): number {
  const full = scale.length === 1 ? shape.map((_, d) => (d === 0 ? (scale[0] as number) : 1)) : scale;
  const axis = full.findIndex((side) => side !== 1);
  const fits = full.length === shape.length && full.every((side, d) => side === (d === axis ? shape[d] : 1));
  if (!fits) throw bad(label, `one scale for each output channel of [${shape.join(", ")}]`, `[${scale.join(", ")}]`, DAMAGED, name + SCALE_SUFFIX);
  return axis < 0 ? elements(shape) : elements(shape.slice(axis + 1));
}

export function expectScales(label: string, name: string, scales: Float32Array): void {
  if (scales.every((scale) => Number.isFinite(scale) && scale >= 0)) return;
  throw bad(label, "scales that are finite and not negative", "others", DAMAGED, name + SCALE_SUFFIX);
}

/** Bytes of the elements `[begin, …)` → f32. */
export function dequantise(bytes: Uint8Array<ArrayBuffer>, begin: number, { scales, inner }: Int8Scales): Float32Array<ArrayBuffer> {
  const quantised = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Float32Array(quantised.length);
  let channel = Math.floor(begin / inner) % scales.length;
  let left = inner - (begin % inner);
  for (let i = 0; i < out.length; ) {
    const scale = scales[channel] as number;
    for (const end = Math.min(out.length, i + left); i < end; i++) out[i] = (quantised[i] as number) * scale;
    left = inner;
    channel = channel + 1 === scales.length ? 0 : channel + 1;
  }
  return out;
}

/** The largest magnitude of each channel, gathered piece by piece into `largest`. */
export function gatherLargest(values: Float32Array, begin: number, inner: number, largest: Float32Array): void {
  let channel = Math.floor(begin / inner) % largest.length;
  let left = inner - (begin % inner);
  for (let i = 0; i < values.length; ) {
    let most = largest[channel] as number;
    for (const end = Math.min(values.length, i + left); i < end; i++) most = Math.max(most, Math.abs(values[i] as number));
    largest[channel] = most;
    left = inner;
    channel = channel + 1 === largest.length ? 0 : channel + 1;
  }
}

/** The scale that puts the largest magnitude at 127; a channel of zeros gets 1. */
export function scalesFrom(largest: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(largest, (most) => (most > 0 ? most / 127 : 1));
}

/** f32 → int8, to the nearest, ties to even. */
export function quantise(values: Float32Array, begin: number, { scales, inner }: Int8Scales): Uint8Array<ArrayBuffer> {
  const out = new Int8Array(values.length);
  let channel = Math.floor(begin / inner) % scales.length;
  let left = inner - (begin % inner);
  for (let i = 0; i < out.length; ) {
    const scale = scales[channel] as number;
    for (const end = Math.min(out.length, i + left); i < end; i++) {
      const exact = (values[i] as number) / scale;
      let nearest = Math.round(exact);
      if (nearest - exact === 0.5 && nearest % 2 !== 0) nearest--;
      out[i] = Math.max(-127, Math.min(127, nearest));
    }
    left = inner;
    channel = channel + 1 === scales.length ? 0 : channel + 1;
  }
  return new Uint8Array(out.buffer);
}
