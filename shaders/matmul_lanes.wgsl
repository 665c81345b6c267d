// y = act(x * weight + bias) + residual over gathered rows (shared/matmul_operands.wgsl has the whole formula).
// A workgroup computes TILE_M rows of 4 * TILE_N4 columns of one phase and one split of the summed channels.
// A thread computes all TILE_M rows of four columns: weights come straight from memory, side by side, and no lane shares them; the rows' values
// come from the lanes of the subgroup, each of which has loaded one. No workgroup memory, no barriers.
import package::shared::loops::MOST_ROUNDS;
import package::shared::matmul_operands::{params, Factor, row_of, load_x, load_weight, multiplied, store};
enable subgroups;
@if(f16_products) enable f16;

const TILE_M: u32 = 16u;
const TILE_N4: u32 = 64u;
// Channels of a step, in fours.
const STEP4: u32 = 1u;

// Those that hold values of x: at most the smallest size of a subgroup.
const LANES = TILE_M * STEP4;

@compute @workgroup_size(TILE_N4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let z = group.z / params.splits;
  let split = group.z % params.splits;
  let first_m = group.y * TILE_M;
  // Columns and rows past the edge repeat the last ones, so that every lane takes part; they are not stored.
  let n4 = group.x * TILE_N4 + thread;
  let column = min(n4, params.n4 - 1u);
  let lane = invocation % LANES;
  let own_m = min(first_m + lane % TILE_M, params.m - 1u);
  let own_k4 = lane / TILE_M;
  let steps_per_tap = (params.k4 + STEP4 - 1u) / STEP4;
  let steps = params.taps * steps_per_tap;
  let last = (split + 1u) * steps / params.splits;

  var sums: array<vec4<f32>, TILE_M>;
  for (var step = split * steps / params.splits; step < MOST_ROUNDS; step++) {
    if (step >= last) { break; }
    let tap = step / steps_per_tap;
    let first_k4 = step % steps_per_tap * STEP4;
    let k4 = first_k4 + own_k4;
    var own = vec4<f32>();
    if (k4 < params.k4) { own = load_x(row_of(z, tap, own_m), k4); }
    let held = Factor(own);
    for (var s = 0u; s < STEP4; s++) {
      // Past the last channel x is 0, whatever weight it meets.
      let w = ((z * params.taps + tap) * 4u * params.k4 + 4u * min(first_k4 + s, params.k4 - 1u)) * params.n4 + column;
      let w0 = Factor(load_weight(w));
      let w1 = Factor(load_weight(w + params.n4));
      let w2 = Factor(load_weight(w + 2u * params.n4));
      let w3 = Factor(load_weight(w + 3u * params.n4));
      for (var r = 0u; r < TILE_M; r++) {
        let v = subgroupShuffle(held, s * TILE_M + r);
        sums[r] = multiplied(sums[r], v, w0, w1, w2, w3);
      }
    }
  }
  for (var r = 0u; r < TILE_M; r++) { store(z, split, first_m + r, n4, sums[r]); }
}
