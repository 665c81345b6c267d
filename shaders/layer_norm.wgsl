// y = act( norm(x + addend) ) + residual, z = norm'(y), sums = sum of y over the group's rows; norm(v) = (v - mean) / sqrt(var + eps) * weight + bias.
// A workgroup computes ROWS rows one after another, in two passes each: the variance is of the differences from the mean, which f32 needs.
// A thread computes every 64th group of four channels; with ROW_A_THREAD a row, because on software adapters barriers cost more than sums.
import package::shared::reduce::workgroup_sum;
import package::shared::activation::activate;

const ADDEND: bool = false;
const RESIDUAL: bool = false;
const NEXT: bool = false;
const SUMS: bool = false;
const ROW_A_THREAD: bool = false;
const ROWS: u32 = 1u;

struct Params {
  rows: u32,
  columns4: u32,
  eps: f32,
  activation: u32,
  next_eps: f32,
}

// [rows, C/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>;
// [2, C/4]: weight, bias
@group(0) @binding(2) var<storage, read> norm: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
// [2, C/4]: weight, bias
@group(0) @binding(4) var<storage, read> next_norm: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
// [rows, C/4]
@group(0) @binding(6) var<storage, read_write> z: array<vec4<f32>>;
// [groups, C/4]
@group(0) @binding(7) var<storage, read_write> sums: array<vec4<f32>>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let begin = select(thread, 0u, ROW_A_THREAD);
  let stride = select(64u, 1u, ROW_A_THREAD);
  let columns4 = params.columns4;
  let count = f32(4u * columns4);
  for (var r = 0u; r < ROWS; r++) {
    let own = select(group.x * ROWS + r, 64u * group.x + thread, ROW_A_THREAD);
    let stores = own < params.rows;
    // Past the last row it is computed once more and not stored: barriers need every thread.
    let first = min(own, params.rows - 1u) * columns4;
    var sum = 0.0;
    for (var c = begin; c < columns4; c += stride) { sum += dot(load(first + c), vec4<f32>(1.0)); }
    let mean = row_sum(thread, sum) / count;
    var squares = 0.0;
    for (var c = begin; c < columns4; c += stride) {
      let difference = load(first + c) - mean;
      squares += dot(difference, difference);
    }
    let scale = 1.0 / sqrt(row_sum(thread, squares) / count + params.eps);
    sum = 0.0;
    for (var c = begin; c < columns4; c += stride) {
      var v = activate(params.activation, (load(first + c) - mean) * scale * norm[c] + norm[columns4 + c]);
      if (RESIDUAL) { v += residual[first + c]; }
      sum += dot(v, vec4<f32>(1.0));
      if (stores) { y[first + c] = v; }
    }
    if (NEXT) {
      // Each thread reads back what it wrote itself.
      let next_mean = row_sum(thread, sum) / count;
      squares = 0.0;
      for (var c = begin; c < columns4; c += stride) {
        let difference = y[first + c] - next_mean;
        squares += dot(difference, difference);
      }
      let next_scale = 1.0 / sqrt(row_sum(thread, squares) / count + params.next_eps);
      for (var c = begin; c < columns4; c += stride) {
        if (stores) { z[first + c] = (y[first + c] - next_mean) * next_scale * next_norm[c] + next_norm[columns4 + c]; }
      }
    }
  }
  if (SUMS) {
    storageBarrier();
    let rows = select(ROWS, 64u, ROW_A_THREAD);
    for (var c = thread; c < columns4; c += 64u) {
      var sum = vec4<f32>();
      for (var row = group.x * rows; row < min((group.x + 1u) * rows, params.rows); row++) { sum += y[row * columns4 + c]; }
      sums[group.x * columns4 + c] = sum;
    }
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
