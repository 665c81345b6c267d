// y = act( (v - mean(v)) / sqrt(var(v) + eps) * weight + bias ) + residual, with v = x + addend, over the channels of a row.
// A workgroup computes one row, in two passes: the variance is of the differences from the mean, which f32 needs. With ROW_A_THREAD it
// computes 64 rows, because on software adapters barriers cost more than the sums they share.
// A thread computes every 64th group of four channels, or a whole row.
import package::shared::reduce::workgroup_sum;
import package::shared::activation::activate;

const ADDEND: bool = false;
const RESIDUAL: bool = false;
const ROW_A_THREAD: bool = false;

struct Params {
  rows: u32,
  columns4: u32,
  eps: f32,
  activation: u32,
}

// [rows, C/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>;
// [C/4]
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
// [C/4]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = select(group.x, min(64u * group.x + thread, params.rows - 1u), ROW_A_THREAD);
  let stores = !ROW_A_THREAD || 64u * group.x + thread < params.rows;
  let begin = select(thread, 0u, ROW_A_THREAD);
  let stride = select(64u, 1u, ROW_A_THREAD);
  let columns4 = params.columns4;
  let first = row * columns4;
  let count = f32(4u * columns4);
  var sum = 0.0;
  for (var c = begin; c < columns4; c += stride) { sum += dot(load(first + c), vec4<f32>(1.0)); }
  let mean = row_sum(thread, sum) / count;
  var squares = 0.0;
  for (var c = begin; c < columns4; c += stride) {
    let difference = load(first + c) - mean;
    squares += dot(difference, difference);
  }
  let scale = 1.0 / sqrt(row_sum(thread, squares) / count + params.eps);
  if (!stores) { return; }
  for (var c = begin; c < columns4; c += stride) {
    var v = activate(params.activation, (load(first + c) - mean) * scale * weight[c] + bias[c]);
    if (RESIDUAL) { v += residual[first + c]; }
    y[first + c] = v;
  }
}

fn row_sum(thread: u32, part: f32) -> f32 {
  var sum = part;
  if (!ROW_A_THREAD) { sum = workgroup_sum(thread, part); }
  return sum;
}

fn load(i: u32) -> vec4<f32> {
  if (ADDEND) { return x[i] + addend[i]; }
  return x[i];
}
