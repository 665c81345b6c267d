// y = softmax(scale * q.k) v for each query and head: plain multi-head attention.
// A workgroup computes THREADS / LANES queries of one head and batch entry; LANES threads share the keys of a query.
// A thread takes every LANES-th key with a running softmax; its query's lanes are then merged in pairs, always in the same order.
import package::shared::loops::MOST_ROUNDS;

const LANES: u32 = 1u;
// LANES is two to the power of it.
const MERGES: u32 = 0u;
// Keys of a thread whose channels are on their way at once.
const AHEAD: u32 = 1u;
const THREADS: u32 = 64u;
// d / 4
const HEAD4: u32 = 4u;

struct Params {
  queries: u32,
  keys: u32,
  q_row4: u32, q_first4: u32,
  k_row4: u32, k_first4: u32,
  v_row4: u32, v_first4: u32,
  y_row4: u32,
  scale: f32,
}

// [B * Nq, q_row4], the head's channels at q_first4 + head * HEAD4
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
// [B * Nk, k_row4]
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
// [B * Nk, v_row4]
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
// [B * Nq, heads * HEAD4]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> lane_highest: array<f32, THREADS>;
var<workgroup> lane_total: array<f32, THREADS>;
var<workgroup> lane_sum: array<vec4<f32>, THREADS * HEAD4>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = group.y;
  let batch = group.z;
  let lane = thread % LANES;
  let query = group.x * (THREADS / LANES) + thread / LANES;
  let row = batch * params.queries + min(query, params.queries - 1u);

  var sum: array<vec4<f32>, HEAD4>;
  var q_row: array<vec4<f32>, HEAD4>;
  for (var d = 0u; d < HEAD4; d++) { q_row[d] = q[row * params.q_row4 + params.q_first4 + head * HEAD4 + d] * params.scale; }
  var highest = -3.0e38;
  var total = 0.0;
  let rounds = (params.keys - min(lane, params.keys) + AHEAD * LANES - 1u) / (AHEAD * LANES);
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) { break; }
    for (var i = 0u; i < AHEAD; i++) {
      let key = (round * AHEAD + i) * LANES + lane;
      // Past the last key that one is read, for nothing.
      let there = key < params.keys;
      let key_row = batch * params.keys + min(key, params.keys - 1u);
      let k_first = key_row * params.k_row4 + params.k_first4 + head * HEAD4;
      let v_first = key_row * params.v_row4 + params.v_first4 + head * HEAD4;
      var score = 0.0;
      for (var d = 0u; d < HEAD4; d++) { score += dot(q_row[d], k[k_first + d]); }
      let before = highest;
      highest = max(highest, select(-3.0e38, score, there));
      let shrink = exp(before - highest);
      let weight = select(0.0, exp(score - highest), there);
      total = total * shrink + weight;
      for (var d = 0u; d < HEAD4; d++) { sum[d] = sum[d] * shrink + weight * v[v_first + d]; }
    }
  }
  // Each time the first half takes in the other.
  for (var merge = 1u; merge <= MERGES; merge++) {
    let half = LANES >> merge;
    if (lane >= half) {
      lane_highest[thread] = highest;
      lane_total[thread] = total;
      for (var d = 0u; d < HEAD4; d++) { lane_sum[thread * HEAD4 + d] = sum[d]; }
    }
    workgroupBarrier();
    if (lane < half) {
      let other = thread + half;
      let top = max(highest, lane_highest[other]);
      let mine = exp(highest - top);
      let theirs = exp(lane_highest[other] - top);
      total = total * mine + lane_total[other] * theirs;
      for (var d = 0u; d < HEAD4; d++) { sum[d] = sum[d] * mine + lane_sum[other * HEAD4 + d] * theirs; }
      highest = top;
    }
    workgroupBarrier();
  }
  if (lane != 0u || query >= params.queries) { return; }
  for (var d = 0u; d < HEAD4; d++) { y[row * params.y_row4 + head * HEAD4 + d] = sum[d] / total; }
}
