// v = x + a, y = act( norm(v) ) + residual, z = norm'(y) or v, sums = sum of y over the group's rows; norm(v) = (v - mean) / sqrt(var + eps) * weight + bias.
// A workgroup computes ROWS rows one after another, in two passes each: the variance is of the differences from the mean, which f32 needs.
// A thread holds every 64th group of four channels of the row in registers. x, a and the residual may be parts of a split product, added up here.
import package::shared::reduce::workgroup_sum;
import package::shared::activation::activate;

// Parts of each; 0 where there is none.
const X_PARTS: u32 = 1u;
const ADDEND_PARTS: u32 = 0u;
const RESIDUAL_PARTS: u32 = 0u;
const NEXT: bool = false;
// Stores v as z.
const KEEP: bool = false;
const SUMS: bool = false;
const ROWS: u32 = 1u;
// Groups of four channels of a thread: enough for all of a row.
const VECTORS: u32 = 3u;

struct Params {
  rows: u32,
  columns4: u32,
  eps: f32,
  activation: u32,
  addend_activation: u32,
  next_eps: f32,
}

// [X_PARTS, rows, C/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [ADDEND_PARTS, rows, C/4]
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>;
// [2, C/4]: weight, bias
@group(0) @binding(2) var<storage, read> norm: array<vec4<f32>>;
// [RESIDUAL_PARTS, rows, C/4]
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
  let columns4 = params.columns4;
  let part = params.rows * columns4;
  let count = f32(4u * columns4);
  var column_sums: array<vec4<f32>, VECTORS>;
  for (var r = 0u; r < ROWS; r++) {
    let row = group.x * ROWS + r;
    let stores = row < params.rows;
    // Past the last row it is computed once more and not stored: barriers need every thread.
    let first = min(row, params.rows - 1u) * columns4;
    var v: array<vec4<f32>, VECTORS>;
    var sum = 0.0;
    for (var i = 0u; i < VECTORS; i++) {
      let c = 64u * i + thread;
      if (c < columns4) {
        v[i] = load(first + c, part);
        sum += dot(v[i], vec4<f32>(1.0));
        if (KEEP && stores) { z[first + c] = v[i]; }
      }
    }
    let mean = workgroup_sum(thread, sum) / count;
    var squares = 0.0;
    for (var i = 0u; i < VECTORS; i++) {
      let difference = v[i] - mean;
      if (64u * i + thread < columns4) { squares += dot(difference, difference); }
    }
    let scale = 1.0 / sqrt(workgroup_sum(thread, squares) / count + params.eps);
    sum = 0.0;
    for (var i = 0u; i < VECTORS; i++) {
      let c = 64u * i + thread;
      if (c < columns4) {
        v[i] = activate(params.activation, (v[i] - mean) * scale * norm[c] + norm[columns4 + c]);
        if (RESIDUAL_PARTS > 0u) { v[i] += residual[first + c]; }
        for (var p = 1u; p < max(RESIDUAL_PARTS, 1u); p++) { v[i] += residual[p * part + first + c]; }
        sum += dot(v[i], vec4<f32>(1.0));
        if (stores) {
          y[first + c] = v[i];
          column_sums[i] += v[i];
        }
      }
    }
    if (NEXT) {
      let next_mean = workgroup_sum(thread, sum) / count;
      squares = 0.0;
      for (var i = 0u; i < VECTORS; i++) {
        let difference = v[i] - next_mean;
        if (64u * i + thread < columns4) { squares += dot(difference, difference); }
      }
      let next_scale = 1.0 / sqrt(workgroup_sum(thread, squares) / count + params.next_eps);
      for (var i = 0u; i < VECTORS; i++) {
        let c = 64u * i + thread;
        if (c < columns4 && stores) { z[first + c] = (v[i] - next_mean) * next_scale * next_norm[c] + next_norm[columns4 + c]; }
      }
    }
  }
  if (SUMS) {
    for (var i = 0u; i < VECTORS; i++) {
      let c = 64u * i + thread;
      if (c < columns4) { sums[group.x * columns4 + c] = column_sums[i]; }
    }
  }
}

fn load(i: u32, part: u32) -> vec4<f32> {
  var v = x[i];
  for (var p = 1u; p < X_PARTS; p++) { v += x[p * part + i]; }
  if (ADDEND_PARTS > 0u) {
    var a = addend[i];
    for (var p = 1u; p < max(ADDEND_PARTS, 1u); p++) { a += addend[p * part + i]; }
    v += activate(params.addend_activation, a);
  }
  return v;
}
