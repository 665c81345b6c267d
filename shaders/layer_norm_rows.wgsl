// v = x + addend, y = act( norm(v) ) + residual, z = norm'(y) or v, sums = sum of y over the group's rows; norm(v) = (v - mean) / sqrt(var + eps) * weight + bias.
// A workgroup computes 64 rows, in two passes each: the variance is of the differences from the mean, which f32 needs.
// A thread computes a row: on software adapters, which this is for, barriers cost more than sums.
import package::shared::activation::activate;

const ADDEND: bool = false;
const RESIDUAL: bool = false;
const NEXT: bool = false;
// Stores v as z.
const KEEP: bool = false;
const SUMS: bool = false;

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
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(global_invocation_id) global: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let columns4 = params.columns4;
  let count = f32(4u * columns4);
  let first = global.x * columns4;
  if (global.x < params.rows) {
    var sum = 0.0;
    for (var c = 0u; c < columns4; c++) { sum += dot(load(first + c), vec4<f32>(1.0)); }
    let mean = sum / count;
    var squares = 0.0;
    for (var c = 0u; c < columns4; c++) {
      let difference = load(first + c) - mean;
      squares += dot(difference, difference);
    }
    let scale = 1.0 / sqrt(squares / count + params.eps);
    sum = 0.0;
    for (var c = 0u; c < columns4; c++) {
      let x_value = load(first + c);
      var v = activate(params.activation, (x_value - mean) * scale * norm[c] + norm[columns4 + c]);
      if (RESIDUAL) { v += residual[first + c]; }
      sum += dot(v, vec4<f32>(1.0));
      y[first + c] = v;
      if (KEEP) { z[first + c] = x_value; }
    }
    if (NEXT) {
      let next_mean = sum / count;
      squares = 0.0;
      for (var c = 0u; c < columns4; c++) {
        let difference = y[first + c] - next_mean;
        squares += dot(difference, difference);
      }
      let next_scale = 1.0 / sqrt(squares / count + params.next_eps);
      for (var c = 0u; c < columns4; c++) {
        z[first + c] = (y[first + c] - next_mean) * next_scale * next_norm[c] + next_norm[columns4 + c];
      }
    }
  }
  if (SUMS) {
    storageBarrier();
    for (var c = thread; c < columns4; c += 64u) {
      var sum = vec4<f32>();
      for (var row = group.x * 64u; row < min((group.x + 1u) * 64u, params.rows); row++) { sum += y[row * columns4 + c]; }
      sums[group.x * columns4 + c] = sum;
    }
  }
}

fn load(i: u32) -> vec4<f32> {
  if (ADDEND) { return x[i] + addend[i]; }
  return x[i];
}
