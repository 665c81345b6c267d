// bit p of y[b, k] = sigmoid(v) > 0.5, v the low-resolution logits resized to model pixels, then to original pixels: two bilinear steps.
// Of each prompt, the mask of the highest predicted IoU among `candidates` of them. A workgroup computes 64 / LANES words of one
// at a time, each 32 pixels in row-major order, the first in the lowest bit. A thread computes the pixels of a share of a word. The middle
// image is never stored.
import package::shared::loops::MOST_ROUNDS;

// Resizes probabilities less a half instead of logits.
const PROBABILITIES: bool = false;
// Threads that share a word, a power of two.
const LANES: u32 = 1u;

const PIXELS = 32u / LANES;
const WORDS = 64u / LANES;

struct Params {
  side: u32,
  size: u32,
  width: u32,
  height: u32,
  left: u32,
  top: u32,
  // 1: resize model pixels to original ones; 0: crop at (left, top)
  resize: u32,
  // Model pixels covered by the image: all of them, but for images padded at the bottom and right.
  span_x: u32,
  span_y: u32,
  // Masks in the logits; which of them are chosen from.
  masks: u32,
  first_mask: u32,
  candidates: u32,
  // Of a row of heads; a prompt has a row for each mask, then that of the predicted IoU.
  columns: u32,
  words: u32,
}

// [B, masks, side, side]
@group(0) @binding(0) var<storage, read> logits: array<f32>;
// [B * (masks + 1), columns]
@group(0) @binding(1) var<storage, read> heads: array<f32>;
// [B, words]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> shares: array<u32, 64>;

// By its bits: compilers may take a comparison for one of numbers.
fn is_nan(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let scores = (group.y * (params.masks + 1u) + params.masks) * params.columns;
  var best = params.first_mask;
  for (var i = 1u; i < MOST_ROUNDS; i++) {
    if (i >= params.candidates) { break; }
    let mask = params.first_mask + i;
    if (heads[scores + mask] > heads[scores + best] || is_nan(heads[scores + best])) { best = mask; }
  }
  let base = (group.y * params.masks + best) * params.side * params.side;
  let lane = thread % LANES;
  let rounds = (params.words + groups.x * WORDS - 1u) / (groups.x * WORDS);
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) { break; }
    let word = (round * groups.x + group.x) * WORDS + thread / LANES;
    var bits = 0u;
    if (word < params.words) {
      for (var i = 0u; i < PIXELS; i++) {
        let bit = lane * PIXELS + i;
        let pixel = word * 32u + bit;
        if (pixel >= params.width * params.height) { break; }
        if (original(base, pixel % params.width, pixel / params.width) > 0.0) { bits |= 1u << bit; }
      }
    }
    if (LANES > 1u) {
      shares[thread] = bits;
      workgroupBarrier();
      for (var other = 1u; other < LANES; other++) { bits |= shares[min(thread + other, 63u)]; }
      workgroupBarrier();
    }
    if (lane == 0u && word < params.words) { y[group.y * params.words + word] = bits; }
  }
}

// The logit at original pixel (x, y).
fn original(base: u32, x: u32, y: u32) -> f32 {
  if (params.resize == 0u) { return model(base, x + params.left, y + params.top); }
  let sx = source(x, params.span_x, params.width);
  let sy = source(y, params.span_y, params.height);
  let x0 = u32(sx);
  let y0 = u32(sy);
  let x1 = min(x0 + 1u, params.span_x - 1u);
  let y1 = min(y0 + 1u, params.span_y - 1u);
  return bilinear(model(base, x0, y0), model(base, x1, y0), model(base, x0, y1), model(base, x1, y1), sx - f32(x0), sy - f32(y0));
}

// The logit at model pixel (x, y).
fn model(base: u32, x: u32, y: u32) -> f32 {
  let sx = source(x, params.side, params.size);
  let sy = source(y, params.side, params.size);
  let x0 = u32(sx);
  let y0 = u32(sy);
  let x1 = min(x0 + 1u, params.side - 1u);
  let y1 = min(y0 + 1u, params.side - 1u);
  let upper = base + y0 * params.side;
  let lower = base + y1 * params.side;
  return bilinear(low(upper + x0), low(upper + x1), low(lower + x0), low(lower + x1), sx - f32(x0), sy - f32(y0));
}

fn low(i: u32) -> f32 {
  var v = logits[i];
  if (PROBABILITIES) { v = 1.0 / (1.0 + exp(min(-v, 80.0))) - 0.5; }
  return v;
}

// Where destination pixel i lies among the source pixels: align_corners = false.
fn source(i: u32, sources: u32, destinations: u32) -> f32 {
  return max((f32(i) + 0.5) * (f32(sources) / f32(destinations)) - 0.5, 0.0);
}

fn bilinear(a: f32, b: f32, c: f32, d: f32, tx: f32, ty: f32) -> f32 {
  return (1.0 - ty) * ((1.0 - tx) * a + tx * b) + ty * ((1.0 - tx) * c + tx * d);
}
