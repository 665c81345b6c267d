// y = act(x * weight + bias) + residual over gathered rows (shared/matmul_operands.wgsl has the whole formula).
// A workgroup computes ROWS * THREADS rows of 16 columns.
// A thread computes ROWS rows (1 or 4), THREADS apart. For software adapters, where a load is a loop over the lanes:
// the lanes of a subgroup hold different rows and different weights, and hand the weights to each other.
import package::shared::lanes::{first_four, last_four, one_of};
import package::shared::matmul_operands::{params, x, load_weight, gate, y, GATHER, GATE, ZERO_ROW, row_of, finish, scaled};
enable subgroups;

const THREADS: u32 = 16u;
const ROWS: u32 = 4u;
// Lanes that share weights, 4 or 8: at most the smallest size of a subgroup.
const LANES: u32 = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let z = group.z;
  // Rows and columns past the edge repeat the last ones, so that every lane takes part; they are not stored.
  let m0 = group.y * ROWS * THREADS + thread;
  let n4 = group.x * 4u;
  let right = p.n4 - 1u;
  // Lane 4h + q holds the weights of channel q, every load another four columns, or h of eight.
  let lane = invocation % LANES;
  let row = lane % 4u * p.n4;
  let quad = n4 + lane / 4u;
  let quads = LANES / 4u;
  let o0 = row + min(quad, right); let o1 = row + min(quad + quads, right);
  let o2 = row + min(quad + 2u * quads, right); let o3 = row + min(quad + 3u * quads, right);

  // The sums of a row's 16 columns.
  var s0 = mat4x4<f32>(); var s1 = mat4x4<f32>(); var s2 = mat4x4<f32>(); var s3 = mat4x4<f32>();
  for (var tap = 0u; tap < p.taps; tap++) {
    let r0 = row_of(z, tap, min(m0 + 0u * THREADS, p.m - 1u)); let f0 = select(r0 * p.k4, 0u, r0 == ZERO_ROW);
    let r1 = row_of(z, tap, min(m0 + 1u * THREADS, p.m - 1u)); let f1 = select(r1 * p.k4, 0u, r1 == ZERO_ROW);
    let r2 = row_of(z, tap, min(m0 + 2u * THREADS, p.m - 1u)); let f2 = select(r2 * p.k4, 0u, r2 == ZERO_ROW);
    let r3 = row_of(z, tap, min(m0 + 3u * THREADS, p.m - 1u)); let f3 = select(r3 * p.k4, 0u, r3 == ZERO_ROW);
    var w = (z * p.taps + tap) * 4u * p.k4 * p.n4;
    for (var k4 = 0u; k4 < p.k4; k4++) {
      var x0 = x[f0 + k4]; var x1 = vec4<f32>(); var x2 = vec4<f32>(); var x3 = vec4<f32>();
      if (ROWS > 1u) { x1 = x[f1 + k4]; x2 = x[f2 + k4]; x3 = x[f3 + k4]; }
      if (GATHER) {
        x0 = select(x0, vec4<f32>(), r0 == ZERO_ROW); x1 = select(x1, vec4<f32>(), r1 == ZERO_ROW);
        x2 = select(x2, vec4<f32>(), r2 == ZERO_ROW); x3 = select(x3, vec4<f32>(), r3 == ZERO_ROW);
      }
      if (GATE) { let factor = gate[k4]; x0 *= factor; x1 *= factor; x2 *= factor; x3 *= factor; }
      let w0 = load_weight(w + o0); let w1 = load_weight(w + o1); var w2 = w1; var w3 = w1;
      if (LANES == 4u) { w2 = load_weight(w + o2); w3 = load_weight(w + o3); }
      // Four columns after the other, each for all four channels: a CPU has registers for few sums.
      var four = first_four(w0); s0[0] += four * x0;
      if (ROWS > 1u) { s1[0] += four * x1; s2[0] += four * x2; s3[0] += four * x3; }
      four = next_four(w0, w1); s0[1] += four * x0;
      if (ROWS > 1u) { s1[1] += four * x1; s2[1] += four * x2; s3[1] += four * x3; }
      four = first_four(w2); s0[2] += four * x0;
      if (ROWS > 1u) { s1[2] += four * x1; s2[2] += four * x2; s3[2] += four * x3; }
      four = next_four(w2, w3); s0[3] += four * x0;
      if (ROWS > 1u) { s1[3] += four * x1; s2[3] += four * x2; s3[3] += four * x3; }
      w += 4u * p.n4;
    }
  }
  // One after the other, by selects: epilogues written out, or an array of sums with an index, take a software adapter many seconds to compile.
  for (var m = m0; m < min(m0 + ROWS * THREADS, p.m); m += THREADS) {
    let o = row_of(z, p.taps, m) * p.n4;
    for (var column = n4; column <= min(n4 + 3u, right); column++) {
      let c = column - n4;
      var sum = one_of(s0, c);
      if (ROWS > 1u) { sum = one_of(mat4x4<f32>(sum, one_of(s1, c), one_of(s2, c), one_of(s3, c)), (m - m0) / THREADS); }
      y[o + column] = finish(o + column, column, scaled(column, sum));
    }
  }
}

// The next four columns, which four lanes have in another load.
fn next_four(w: vec4<f32>, next: vec4<f32>) -> mat4x4<f32> {
  if (LANES == 4u) { return first_four(next); }
  return last_four(w);
}
