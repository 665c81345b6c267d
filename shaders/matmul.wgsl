// y = act(x * weight + bias) + residual over gathered rows (shared/matmul_operands.wgsl has the whole formula).
// A workgroup computes a TILE_M x (4 * TILE_N4) tile of one phase and one split of the summed channels, staging both operands in workgroup memory.
// A thread computes ROWS x (4 * COLUMNS4) of it, in registers.
import package::shared::matmul_operands::{params, weight, y, input_row, output_row, load_x, finish};

const TILE_M: u32 = 64u;
const TILE_N4: u32 = 16u;
const ROWS: u32 = 4u;
const COLUMNS4: u32 = 1u;
// Channels of a step, in fours.
const STEP4: u32 = 4u;
const THREADS_X: u32 = 16u;
const THREADS_Y: u32 = 16u;

// [TILE_M, STEP4]
var<workgroup> x_tile: array<vec4<f32>, TILE_M * STEP4>;
// [4 * STEP4, TILE_N4]
var<workgroup> weight_tile: array<vec4<f32>, 4u * STEP4 * TILE_N4>;

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let z = group.z / params.splits;
  let split = group.z % params.splits;
  let first_m = group.y * TILE_M;
  let first_n4 = group.x * TILE_N4;
  let steps_per_tap = (params.k4 + STEP4 - 1u) / STEP4;
  let steps = params.taps * steps_per_tap;
  let last = (split + 1u) * steps / params.splits;

  var sums: array<vec4<f32>, ROWS * COLUMNS4>;
  for (var step = split * steps / params.splits; step < last; step++) {
    let tap = step / steps_per_tap;
    let first_k4 = step % steps_per_tap * STEP4;
    for (var i = thread; i < TILE_M * STEP4; i += THREADS_X * THREADS_Y) {
      let m = first_m + i / STEP4;
      let k4 = first_k4 + i % STEP4;
      var v = vec4<f32>();
      if (m < params.m && k4 < params.k4) { v = load_x(input_row(z, tap, m), k4, first_n4); }
      x_tile[i] = v;
    }
    for (var i = thread; i < 4u * STEP4 * TILE_N4; i += THREADS_X * THREADS_Y) {
      let k = 4u * first_k4 + i / TILE_N4;
      let n4 = first_n4 + i % TILE_N4;
      var v = vec4<f32>();
      if (k < 4u * params.k4 && n4 < params.n4) { v = weight[((z * params.taps + tap) * 4u * params.k4 + k) * params.n4 + n4]; }
      weight_tile[i] = v;
    }
    workgroupBarrier();
    for (var k4 = 0u; k4 < STEP4; k4++) {
      for (var c = 0u; c < COLUMNS4; c++) {
        let column = local.x + c * THREADS_X;
        let w0 = weight_tile[(4u * k4) * TILE_N4 + column];
        let w1 = weight_tile[(4u * k4 + 1u) * TILE_N4 + column];
        let w2 = weight_tile[(4u * k4 + 2u) * TILE_N4 + column];
        let w3 = weight_tile[(4u * k4 + 3u) * TILE_N4 + column];
        for (var r = 0u; r < ROWS; r++) {
          let v = x_tile[(local.y + r * THREADS_Y) * STEP4 + k4];
          sums[r * COLUMNS4 + c] += v.x * w0 + v.y * w1 + v.z * w2 + v.w * w3;
        }
      }
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < ROWS; r++) {
    let m = first_m + local.y + r * THREADS_Y;
    for (var c = 0u; c < COLUMNS4; c++) {
      let n4 = first_n4 + local.x + c * THREADS_X;
      if (m < params.m && n4 < params.n4) {
        let index = output_row(z, m) * params.n4 + n4;
        if (params.splits > 1u) {
          y[split * params.out_rows * params.n4 + index] = sums[r * COLUMNS4 + c];
        } else {
          y[index] = finish(z, index, n4, sums[r * COLUMNS4 + c]);
        }
      }
    }
  }
}
