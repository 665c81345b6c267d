// y = act(x * weight + bias) + residual over gathered rows (shared/matmul_operands.wgsl has the whole formula).
// A workgroup computes a TILE_M x (4 * TILE_N4) tile of one phase and one split of the summed channels, staging both operands in workgroup memory.
// A thread computes ROWS x (4 * COLUMNS4) of it, in registers, for every SLICES-th step; the slices' sums are added in workgroup memory.
import package::shared::loops::MOST_ROUNDS;
import package::shared::matmul_operands::{params, Factor, Loaded, row_of, load_x, load_weight, multiplied, multiplied_half, store};
@if(f16_products) enable f16;

const TILE_M: u32 = 64u;
const TILE_N4: u32 = 16u;
const ROWS: u32 = 4u;
const COLUMNS4: u32 = 1u;
// Channels of a step, in fours.
const STEP4: u32 = 4u;
const THREADS_X: u32 = 16u;
const THREADS_Y: u32 = 16u;
// Threads of one slice make a whole tile: more slices fill a device that has few tiles to compute.
const SLICES: u32 = 1u;
// Sums of one slice, handed over: the tile's, or 1 where there is one slice.
const HANDED: u32 = 1u;

const THREADS = THREADS_X * THREADS_Y;
const SUMS = ROWS * COLUMNS4;
const X_SIZE = TILE_M * STEP4;
const WEIGHT_SIZE = 4u * STEP4 * TILE_N4;
// What a thread stages of a step. Both sizes are multiples of THREADS, so that every loop has a length the compiler knows.
const X_LOADS = X_SIZE / THREADS;
const WEIGHT_LOADS = WEIGHT_SIZE / THREADS;

// [SLICES, TILE_M, STEP4]
var<workgroup> x_tile: array<Factor, SLICES * TILE_M * STEP4>;
// [SLICES, 4 * STEP4, TILE_N4]
var<workgroup> weight_tile: array<Factor, SLICES * 4u * STEP4 * TILE_N4>;
// [SUMS, THREADS]
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
  let first = split * steps / params.splits;
  let last = (split + 1u) * steps / params.splits;
  let rounds = (last - first + SLICES - 1u) / SLICES;

  var sums: array<vec4<f32>, SUMS>;
  var x_next: array<vec4<f32>, X_LOADS>;
  var weight_next: array<Loaded, WEIGHT_LOADS>;
  // Rows of x, of the tap they were looked up for.
  var x_rows: array<u32, X_LOADS>;
  var x_tap = params.taps;
  // One round more than there are steps: a step's operands are on their way while those of the step before are multiplied.
  for (var i = 0u; i < MOST_ROUNDS; i++) {
    if (i > rounds) { break; }
    let step = first + i * SLICES + local.z;
    let loads = step < last;
    if (loads) {
      let tap = step / steps_per_tap;
      let first_k4 = step % steps_per_tap * STEP4;
      if (tap != x_tap) {
        x_tap = tap;
        for (var j = 0u; j < X_LOADS; j++) { x_rows[j] = row_of(z, tap, min(first_m + (j * THREADS + thread) / STEP4, params.m - 1u)); }
      }
      for (var j = 0u; j < X_LOADS; j++) {
        let e = j * THREADS + thread;
        let k4 = first_k4 + e % STEP4;
        x_next[j] = vec4<f32>();
        if (k4 < params.k4) { x_next[j] = load_x(x_rows[j], k4); }
      }
      for (var j = 0u; j < WEIGHT_LOADS; j++) {
        let e = j * THREADS + thread;
        // Past the last channel x is 0, whatever weight it meets; columns past the edge are not stored.
        let k = min(4u * first_k4 + e / TILE_N4, 4u * params.k4 - 1u);
        let n4 = min(first_n4 + e % TILE_N4, params.n4 - 1u);
        weight_next[j] = load_weight(((z * params.taps + tap) * 4u * params.k4 + k) * params.n4 + n4);
      }
    }
    // The first round has nothing to multiply yet.
    if (i > 0u) {
      // A step's channels, eight or sixteen, are summed in f16 before they are added to the rest. Without its value written out a variable of a
      // loop keeps, on lavapipe, what it had the round before.
      @if(f16_products) var halves = array<Factor, SUMS>();
      for (var k4 = 0u; k4 < STEP4; k4++) {
        var w: array<Factor, 4u * COLUMNS4>;
        for (var j = 0u; j < 4u * COLUMNS4; j++) { w[j] = weight_tile[weight_slice + (4u * k4 + j % 4u) * TILE_N4 + local.x + j / 4u * THREADS_X]; }
        for (var r = 0u; r < ROWS; r++) {
          let v = x_tile[x_slice + (local.y + r * THREADS_Y) * STEP4 + k4];
          for (var c = 0u; c < COLUMNS4; c++) {
            let s = r * COLUMNS4 + c;
            @if(!f16_products) sums[s] = multiplied(sums[s], v, w[4u * c], w[4u * c + 1u], w[4u * c + 2u], w[4u * c + 3u]);
            @if(f16_products) halves[s] = multiplied_half(halves[s], v, w[4u * c], w[4u * c + 1u], w[4u * c + 2u], w[4u * c + 3u]);
          }
        }
      }
      @if(f16_products) for (var s = 0u; s < SUMS; s++) { sums[s] += vec4<f32>(halves[s]); }
    }
    workgroupBarrier();
    // A slice that has run out of steps multiplies zeros.
    for (var j = 0u; j < X_LOADS; j++) { x_tile[x_slice + j * THREADS + thread] = Factor(select(vec4<f32>(), x_next[j], loads)); }
    for (var j = 0u; j < WEIGHT_LOADS; j++) { weight_tile[weight_slice + j * THREADS + thread] = Factor(weight_next[j]); }
    workgroupBarrier();
  }
  // One slice after another hands its sums to the first: always in the same order.
  for (var slice = 1u; slice < SLICES; slice++) {
    for (var s = 0u; s < SUMS; s++) {
      if (local.z == slice) { handed[s * THREADS + thread] = sums[s]; }
    }
    workgroupBarrier();
    for (var s = 0u; s < SUMS; s++) {
      if (local.z == 0u) { sums[s] += handed[s * THREADS + thread]; }
    }
    workgroupBarrier();
  }
  if (local.z > 0u) { return; }
  for (var s = 0u; s < SUMS; s++) {
    store(z, split, first_m + local.y + s / COLUMNS4 * THREADS_Y, first_n4 + local.x + s % COLUMNS4 * THREADS_X, sums[s]);
  }
}
