// y = act( sum over the 3 x 3 cells of x[cell, c] * weights[cell, c] + bias[c] ), padding 1; with NORM also z = norm(y) over the channels of each token,
// norm(v) = (v - mean) / sqrt(var + eps) * weight + bias.
// A workgroup computes 64 groups of four channels of one row of tokens; with NORM one token, or 64 with ROW_A_THREAD.
// A thread computes one group; with NORM every 64th group, with ROW_A_THREAD a token, because on software adapters barriers cost more than sums.
import package::shared::loops::MOST_ROUNDS;
import package::shared::reduce::workgroup_sum;
import package::shared::activation::activate;

const STRIDE: u32 = 1u;
const NORM: bool = false;
const ROW_A_THREAD: bool = false;

struct Params {
  // Of the square of x and of y, in tokens.
  side: u32,
  out_side: u32,
  columns4: u32,
  activation: u32,
  eps: f32,
}

// [side * side, C/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [10, C/4]: nine cells, bias
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
// [2, C/4]: weight, bias
@group(0) @binding(2) var<storage, read> norm: array<vec4<f32>>;
// [out_side * out_side, C/4]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
// [out_side * out_side, C/4]
@group(0) @binding(4) var<storage, read_write> z: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let columns4 = params.columns4;
  if (!NORM) {
    let i = group.x * 64u + thread;
    if (i < params.out_side * columns4) { y[group.y * params.out_side * columns4 + i] = convolved(vec2<u32>(i / columns4, group.y), i % columns4); }
    return;
  }
  let begin = select(thread, 0u, ROW_A_THREAD);
  let stride = select(64u, 1u, ROW_A_THREAD);
  let own = select(group.x, 64u * group.x + thread, ROW_A_THREAD);
  let tokens = params.out_side * params.out_side;
  // Past the last token it is computed once more and not stored: barriers need every thread.
  let token = min(own, tokens - 1u);
  let at = vec2<u32>(token % params.out_side, token / params.out_side);
  let count = f32(4u * columns4);
  var sum = 0.0;
  for (var i = 0u; i < MOST_ROUNDS; i++) {
    let c = i * stride + begin;
    if (c >= columns4) { break; }
    let v = convolved(at, c);
    if (own < tokens) { y[token * columns4 + c] = v; }
    sum += dot(v, vec4<f32>(1.0));
  }
  // Each thread reads back what it wrote itself.
  let mean = row_sum(thread, sum) / count;
  var squares = 0.0;
  for (var i = 0u; i < MOST_ROUNDS; i++) {
    let c = i * stride + begin;
    if (c >= columns4) { break; }
    let difference = y[token * columns4 + c] - mean;
    squares += dot(difference, difference);
  }
  let scale = 1.0 / sqrt(row_sum(thread, squares) / count + params.eps);
  for (var i = 0u; i < MOST_ROUNDS; i++) {
    let c = i * stride + begin;
    if (c >= columns4) { break; }
    if (own < tokens) { z[token * columns4 + c] = (y[token * columns4 + c] - mean) * scale * norm[c] + norm[columns4 + c]; }
  }
}

// Four channels from 4 * c of the token at (column, row).
fn convolved(at: vec2<u32>, c: u32) -> vec4<f32> {
  var sum = weights[9u * params.columns4 + c];
  for (var cell = 0u; cell < 9u; cell++) {
    // One more than the place in x, so that nothing is below 0.
    let source = at * STRIDE + vec2<u32>(cell % 3u, cell / 3u);
    if (all(source > vec2<u32>()) && all(source <= vec2<u32>(params.side))) {
      sum += x[((source.y - 1u) * params.side + source.x - 1u) * params.columns4 + c] * weights[cell * params.columns4 + c];
    }
  }
  return activate(params.activation, sum);
}

fn row_sum(thread: u32, part: f32) -> f32 {
  var sum = part;
  if (!ROW_A_THREAD) { sum = workgroup_sum(thread, part); }
  return sum;
}
