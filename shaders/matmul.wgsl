// y = act(x * weight + bias) + residual over gathered rows (shared/matmul_operands.wgsl has the whole formula).
// A workgroup computes a TILE_M x (4 * TILE_N4) tile of one phase and one split of the summed channels, staging both operands in workgroup memory.
// A thread computes ROWS x 4 of it, in registers, for every SLICES-th step; the slices' sums are added in workgroup memory.
import package::shared::matmul_operands::{params, Factor, row_of, load_x, load_weight, store};
@if(f16_products) enable f16;

const TILE_M: u32 = 64u;
const TILE_N4: u32 = 16u;
const ROWS: u32 = 4u;
// Channels of a step, in fours.
const STEP4: u32 = 4u;
const THREADS_X: u32 = 16u;
const THREADS_Y: u32 = 16u;
// Threads of one slice make a whole tile: more slices fill a device that has few tiles to compute.
const SLICES: u32 = 1u;
// Sums of one slice, handed over: the tile's, or 1 where there is one slice.
const HANDED: u32 = 1u;

const THREADS = THREADS_X * THREADS_Y;
const X_SIZE = TILE_M * STEP4;
const WEIGHT_SIZE = 4u * STEP4 * TILE_N4;

// [SLICES, TILE_M, STEP4]
var<workgroup> x_tile: array<Factor, SLICES * TILE_M * STEP4>;
// [SLICES, 4 * STEP4, TILE_N4]
var<workgroup> weight_tile: array<Factor, SLICES * 4u * STEP4 * TILE_N4>;
// [ROWS, THREADS]
var<workgroup> handed: array<vec4<f32>, HANDED>;

@compute @workgroup_size(THREADS_X, THREADS_Y, SLICES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let thread = local.y * THREADS_X + local.x;
  let z = group.z / params.splits;
  let split = group.z % params.splits;
  let first_m = group.y * TILE_M;
  let first_n4 = group.x * TILE_N4;
  let x_slice = local.z * X_SIZE;
  let weight_slice = local.z * WEIGHT_SIZE;
  let steps_per_tap = (params.k4 + STEP4 - 1u) / STEP4;
  let steps = params.taps * steps_per_tap;
  let last = (split + 1u) * steps / params.splits;

  var sums: array<vec4<f32>, ROWS>;
  for (var first = split * steps / params.splits; first < last; first += SLICES) {
    let step = first + local.z;
    let tap = step / steps_per_tap;
    let first_k4 = step % steps_per_tap * STEP4;
    for (var i = thread; i < X_SIZE; i += THREADS) {
      let m = first_m + i / STEP4;
      let k4 = first_k4 + i % STEP4;
      var v = vec4<f32>();
      if (step < last && m < params.m && k4 < params.k4) { v = load_x(row_of(z, tap, m), k4); }
      x_tile[x_slice + i] = Factor(v);
    }
    for (var i = thread; i < WEIGHT_SIZE; i += THREADS) {
      let k = 4u * first_k4 + i / TILE_N4;
      let n4 = first_n4 + i % TILE_N4;
      var v = vec4<f32>();
      if (step < last && k < 4u * params.k4 && n4 < params.n4) { v = load_weight(((z * params.taps + tap) * 4u * params.k4 + k) * params.n4 + n4); }
      weight_tile[weight_slice + i] = Factor(v);
    }
    workgroupBarrier();
    for (var k4 = 0u; k4 < STEP4; k4++) {
      let column = weight_slice + 4u * k4 * TILE_N4 + local.x;
      let w0 = weight_tile[column];
      let w1 = weight_tile[column + TILE_N4];
      let w2 = weight_tile[column + 2u * TILE_N4];
      let w3 = weight_tile[column + 3u * TILE_N4];
      for (var r = 0u; r < ROWS; r++) {
        let v = x_tile[x_slice + (local.y + r * THREADS_Y) * STEP4 + k4];
        sums[r] += vec4<f32>(v.x * w0 + v.y * w1 + v.z * w2 + v.w * w3);
      }
    }
    workgroupBarrier();
  }
  // One slice after another hands its sums to the first: always in the same order.
  for (var slice = 1u; slice < SLICES; slice++) {
    for (var s = 0u; s < ROWS; s++) {
      if (local.z == slice) { handed[s * THREADS + thread] = sums[s]; }
    }
    workgroupBarrier();
    for (var s = 0u; s < ROWS; s++) {
      if (local.z == 0u) { sums[s] += handed[s * THREADS + thread]; }
    }
    workgroupBarrier();
  }
  if (local.z > 0u) { return; }
  for (var r = 0u; r < ROWS; r++) { store(z, split, first_m + local.y + r * THREADS_Y, first_n4 + local.x, sums[r]); }
}
