// y = act(x * weight + bias) + residual over gathered rows (shared/matmul_operands.wgsl has the whole formula).
// A workgroup computes ROWS * THREADS rows of 16 columns.
// A thread computes ROWS rows (1 or 4), THREADS apart, in named variables. For software adapters, where a load is a loop over the lanes:
// the lanes of a subgroup hold different rows and different weights, and hand the weights to each other.
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

  var s00 = vec4<f32>(); var s01 = vec4<f32>(); var s02 = vec4<f32>(); var s03 = vec4<f32>();
  var s10 = vec4<f32>(); var s11 = vec4<f32>(); var s12 = vec4<f32>(); var s13 = vec4<f32>();
  var s20 = vec4<f32>(); var s21 = vec4<f32>(); var s22 = vec4<f32>(); var s23 = vec4<f32>();
  var s30 = vec4<f32>(); var s31 = vec4<f32>(); var s32 = vec4<f32>(); var s33 = vec4<f32>();
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
      var four = first_four(w0); s00 += four * x0;
      if (ROWS > 1u) { s10 += four * x1; s20 += four * x2; s30 += four * x3; }
      four = last_four(w0, w1); s01 += four * x0;
      if (ROWS > 1u) { s11 += four * x1; s21 += four * x2; s31 += four * x3; }
      four = first_four(w2); s02 += four * x0;
      if (ROWS > 1u) { s12 += four * x1; s22 += four * x2; s32 += four * x3; }
      four = last_four(w2, w3); s03 += four * x0;
      if (ROWS > 1u) { s13 += four * x1; s23 += four * x2; s33 += four * x3; }
      w += 4u * p.n4;
    }
  }
  // The sums go to memory first and are finished there in a loop: inlined epilogues, or an indexed array of sums, take a software adapter
  // many seconds to compile.
  if (0u < ROWS && m0 + 0u * THREADS < p.m) {
    let o = row_of(z, p.taps, m0 + 0u * THREADS) * p.n4;
    y[o + n4] = s00; y[o + min(n4 + 1u, right)] = select(s00, s01, n4 < right);
    if (n4 + 2u <= right) { y[o + n4 + 2u] = s02; }
    if (n4 + 3u <= right) { y[o + n4 + 3u] = s03; }
  }
  if (1u < ROWS && m0 + 1u * THREADS < p.m) {
    let o = row_of(z, p.taps, m0 + 1u * THREADS) * p.n4;
    y[o + n4] = s10; y[o + min(n4 + 1u, right)] = select(s10, s11, n4 < right);
    if (n4 + 2u <= right) { y[o + n4 + 2u] = s12; }
    if (n4 + 3u <= right) { y[o + n4 + 3u] = s13; }
  }
  if (2u < ROWS && m0 + 2u * THREADS < p.m) {
    let o = row_of(z, p.taps, m0 + 2u * THREADS) * p.n4;
    y[o + n4] = s20; y[o + min(n4 + 1u, right)] = select(s20, s21, n4 < right);
    if (n4 + 2u <= right) { y[o + n4 + 2u] = s22; }
    if (n4 + 3u <= right) { y[o + n4 + 3u] = s23; }
  }
  if (3u < ROWS && m0 + 3u * THREADS < p.m) {
    let o = row_of(z, p.taps, m0 + 3u * THREADS) * p.n4;
    y[o + n4] = s30; y[o + min(n4 + 1u, right)] = select(s30, s31, n4 < right);
    if (n4 + 2u <= right) { y[o + n4 + 2u] = s32; }
    if (n4 + 3u <= right) { y[o + n4 + 3u] = s33; }
  }
  for (var m = m0; m < min(m0 + ROWS * THREADS, p.m); m += THREADS) {
    let o = row_of(z, p.taps, m) * p.n4;
    for (var column = n4; column <= min(n4 + 3u, right); column++) { y[o + column] = finish(o + column, column, scaled(column, y[o + column])); }
  }
}

// What the lanes hold of four columns, a channel each; and of the next four, which four lanes have in another load.
fn first_four(w: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(w, 0u), subgroupBroadcast(w, 1u), subgroupBroadcast(w, 2u), subgroupBroadcast(w, 3u));
}

fn last_four(w: vec4<f32>, next: vec4<f32>) -> mat4x4<f32> {
  if (LANES == 4u) { return first_four(next); }
  return mat4x4<f32>(subgroupBroadcast(w, 4u), subgroupBroadcast(w, 5u), subgroupBroadcast(w, 6u), subgroupBroadcast(w, 7u));
}
