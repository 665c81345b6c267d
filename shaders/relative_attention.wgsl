// y = softmax_k( q.k / sqrt(d) + q.Rh[qy - ky + K - 1] + q.Rw[qx - kx + K - 1] ) v, within windows of K x K tokens (K = grid: global).
// With OFFSETS, a number for each head and pair of distances, O[head, |qy - ky|, |qx - kx|], takes the place of both position terms.
// A workgroup computes QUERIES queries of one window and head, TILE keys after TILE keys with a running softmax, the next on their way.
// LANES threads share a query: of each tile's keys a thread has the scores of some, and then some channels of the sum over all.
// Tokens that pad the last windows are not stored: their key and value are the qkv bias.
import package::shared::loops::MOST_ROUNDS;
import package::shared::window_positions::{HEAD4, LANES, QUERIES, WINDOW, OFFSETS, params, qkv, Query, put_terms, position, added};

const TILE: u32 = 16u;
const THREADS = LANES * QUERIES;
// Keys and channels of a thread.
const OWN_KEYS = TILE / LANES;
const OWN4 = (HEAD4 + LANES - 1u) / LANES;
// One vector more than there are, so that the keys of a query's lanes lie in different banks.
const ROW4 = HEAD4 + 1u;
const LOADS = (2u * TILE * HEAD4 + THREADS - 1u) / THREADS;
// Keys of a lane, of all that may be padded.
const PADDED = (WINDOW * WINDOW + LANES - 1u) / LANES;

// [3, heads, d/4]
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
// [T, heads, d/4]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

// Keys, then values: [2, TILE, ROW4]
var<workgroup> staged: array<vec4<f32>, 2u * TILE * ROW4>;
// [QUERIES, TILE]
var<workgroup> scores: array<f32, QUERIES * TILE>;
var<workgroup> weights: array<f32, QUERIES * TILE>;
// Of a lane: its share of the total; the highest score and the total of its padded keys.
var<workgroup> lane_total: array<f32, THREADS>;
var<workgroup> lane_padded_highest: array<f32, THREADS>;
var<workgroup> lane_padded_total: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = params.first_head + group.z;
  let windows = (params.grid + WINDOW - 1u) / WINDOW;
  let top = group.y / windows * WINDOW;
  let left = group.y % windows * WINDOW;
  let height = min(WINDOW, params.grid - top);
  let width = min(WINDOW, params.grid - left);
  let keys = height * width;
  if (group.x * QUERIES >= keys) { return; }
  let lane = thread % LANES;
  let query = thread / LANES;
  // Threads past the last query repeat it and store nothing: barriers need them.
  let index = min(group.x * QUERIES + query, keys - 1u);
  let own = Query(query, index / width, index % width, head);
  let row4 = params.heads * HEAD4;
  let token = (top + own.y) * params.grid + left + own.x;

  var q: array<vec4<f32>, HEAD4>;
  var padded_key = vec4<f32>();
  for (var d = 0u; d < HEAD4; d++) {
    q[d] = qkv[token * 3u * row4 + head * HEAD4 + d];
    padded_key = fma(q[d], bias[row4 + head * HEAD4 + d], padded_key);
  }
  if (!OFFSETS) { put_terms(own, lane, token * 3u * row4 + head * HEAD4); }

  var sum: array<vec4<f32>, OWN4>;
  var highest = -3.0e38; var total = 0.0;
  var next: array<vec4<f32>, LOADS>;
  let tiles = (keys + TILE - 1u) / TILE;
  // One round more than there are tiles: a tile is on its way while the one before is summed.
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round > tiles) { break; }
    if (round < tiles) {
      for (var j = 0u; j < LOADS; j++) {
        let e = min(j * THREADS + thread, 2u * TILE * HEAD4 - 1u);
        let key = min(round * TILE + e / HEAD4 % TILE, keys - 1u);
        let at = (top + key / width) * params.grid + left + key % width;
        next[j] = qkv[(3u * at + 1u + e / (TILE * HEAD4)) * row4 + head * HEAD4 + e % HEAD4];
      }
    }
    if (round > 0u) {
      let first = (round - 1u) * TILE;
      var own_scores: array<f32, OWN_KEYS>;
      for (var j = 0u; j < OWN_KEYS; j++) {
        let k = j * LANES + lane;
        let key = min(first + k, keys - 1u);
        var score = vec4<f32>();
        for (var d = 0u; d < HEAD4; d++) { score = fma(q[d], staged[k * ROW4 + d], score); }
        own_scores[j] = added(score) * params.scale + position(own, key / width, key % width);
        // Past the last key there is none.
        own_scores[j] = select(own_scores[j], -3.0e38, first + k >= keys);
        scores[query * TILE + k] = own_scores[j];
      }
      workgroupBarrier();
      let before = highest;
      for (var k = 0u; k < TILE; k++) { highest = max(highest, scores[query * TILE + k]); }
      let shrink = exp(before - highest);
      total *= shrink;
      for (var j = 0u; j < OWN_KEYS; j++) {
        let weight = exp(own_scores[j] - highest);
        weights[query * TILE + j * LANES + lane] = weight;
        total += weight;
      }
      workgroupBarrier();
      for (var i = 0u; i < OWN4; i++) { sum[i] *= shrink; }
      for (var k = 0u; k < TILE; k++) {
        let weight = vec4<f32>(weights[query * TILE + k]);
        for (var i = 0u; i < OWN4; i++) { sum[i] = fma(weight, staged[(TILE + k) * ROW4 + min(i * LANES + lane, HEAD4 - 1u)], sum[i]); }
      }
    }
    workgroupBarrier();
    for (var j = 0u; j < LOADS; j++) {
      let e = j * THREADS + thread;
      if (e < 2u * TILE * HEAD4) { staged[e / HEAD4 * ROW4 + e % HEAD4] = next[j]; }
    }
    workgroupBarrier();
  }

  var padded_highest = -3.0e38; var padded_total = 0.0;
  if (keys < WINDOW * WINDOW) {
    let padded_score = added(padded_key) * params.scale;
    for (var i = 0u; i < PADDED; i++) {
      let key = i * LANES + lane;
      let ky = key / WINDOW;
      let kx = key % WINDOW;
      if (ky < WINDOW && (ky >= height || kx >= width)) {
        let score = padded_score + position(own, ky, kx);
        let before = padded_highest;
        padded_highest = max(before, score);
        padded_total = padded_total * exp(before - padded_highest) + exp(score - padded_highest);
      }
    }
  }
  lane_total[thread] = total;
  lane_padded_highest[thread] = padded_highest;
  lane_padded_total[thread] = padded_total;
  workgroupBarrier();
  var most = highest;
  for (var i = 0u; i < LANES; i++) { most = max(most, lane_padded_highest[query * LANES + i]); }
  total = 0.0;
  padded_total = 0.0;
  for (var i = 0u; i < LANES; i++) {
    let other = query * LANES + i;
    total += lane_total[other];
    padded_total += lane_padded_total[other] * exp(lane_padded_highest[other] - most);
  }
  let shrink = exp(highest - most);
  if (group.x * QUERIES + query >= keys) { return; }
  for (var i = 0u; i < OWN4; i++) {
    let d = i * LANES + lane;
    if (d < HEAD4) {
      y[token * row4 + head * HEAD4 + d] = (sum[i] * shrink + padded_total * bias[2u * row4 + head * HEAD4 + d]) / (total * shrink + padded_total);
    }
  }
}
