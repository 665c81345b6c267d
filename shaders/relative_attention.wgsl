// y = softmax_k( q.k / sqrt(d) + q.Rh[qy - ky + K - 1] + q.Rw[qx - kx + K - 1] ) v, within windows of K x K tokens (K = grid: global).
// With OFFSETS, a number for each head and pair of distances, O[head, |qy - ky|, |qx - kx|], takes the place of both position terms.
// A workgroup computes THREADS queries of one window and head, key row by key row with a running softmax: scores never leave registers.
// A thread computes one query. Tokens that pad the last windows are not stored: their key and value are the qkv bias.

// d / 4
const HEAD4: u32 = 16u;
const THREADS: u32 = 64u;
// Keys of one row that are staged together.
const TILE: u32 = 16u;
// K, the window's side
const WINDOW: u32 = 14u;
const OFFSETS: bool = false;
// Of a head's O, K * K rounded up to fours.
const TABLE: u32 = 1u;

struct Params {
  grid: u32,
  heads: u32,
  // Of this dispatch.
  first_head: u32,
  scale: f32,
}

// [T, 3 (q, k, v), heads, d/4]
@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
// [3, heads, d/4]
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
// [2K - 1, d/4]; with OFFSETS O, [heads, TABLE/4]
@group(0) @binding(2) var<storage, read> rel_h: array<vec4<f32>>;
// [2K - 1, d/4]
@group(0) @binding(3) var<storage, read> rel_w: array<vec4<f32>>;
// [T, heads, d/4]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> keys: array<vec4<f32>, TILE * HEAD4>;
var<workgroup> values: array<vec4<f32>, TILE * HEAD4>;
// q.Rw for each key column and thread
var<workgroup> column_terms: array<f32, WINDOW * THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = params.first_head + group.z;
  let windows = (params.grid + WINDOW - 1u) / WINDOW;
  let top = group.y / windows * WINDOW;
  let left = group.y % windows * WINDOW;
  let height = min(WINDOW, params.grid - top);
  let width = min(WINDOW, params.grid - left);
  if (group.x * THREADS >= height * width) { return; }
  // Threads past the last query repeat it and store nothing: barriers need them.
  let index = min(group.x * THREADS + thread, height * width - 1u);
  let qy = index / width;
  let qx = index % width;
  let row4 = params.heads * HEAD4;
  let token = (top + qy) * params.grid + left + qx;

  var q: array<vec4<f32>, HEAD4>;
  var sum: array<vec4<f32>, HEAD4>;
  var padded_key_term = 0.0;
  for (var d = 0u; d < HEAD4; d++) {
    q[d] = qkv[token * 3u * row4 + head * HEAD4 + d];
    padded_key_term += dot(q[d], bias[row4 + head * HEAD4 + d]);
  }
  padded_key_term *= params.scale;
  for (var kx = 0u; kx < select(WINDOW, 0u, OFFSETS); kx++) {
    var term = 0.0;
    for (var d = 0u; d < HEAD4; d++) { term += dot(q[d], rel_w[(qx + WINDOW - 1u - kx) * HEAD4 + d]); }
    column_terms[kx * THREADS + thread] = term;
  }

  var highest = -3.0e38;
  var total = 0.0;
  var padded_total = 0.0;
  for (var ky = 0u; ky < WINDOW; ky++) {
    var row_term = 0.0;
    if (OFFSETS) {
      let first = head * TABLE + max(qy, ky) * WINDOW - min(qy, ky) * WINDOW;
      for (var kx = 0u; kx < WINDOW; kx++) {
        let offset = first + max(qx, kx) - min(qx, kx);
        column_terms[kx * THREADS + thread] = rel_h[offset / 4u][offset % 4u];
      }
    } else {
      for (var d = 0u; d < HEAD4; d++) { row_term += dot(q[d], rel_h[(qy + WINDOW - 1u - ky) * HEAD4 + d]); }
    }
    let real = select(0u, width, ky < height);
    for (var first = 0u; first < real; first += TILE) {
      let count = min(TILE, real - first);
      workgroupBarrier();
      for (var i = thread; i < count * HEAD4; i += THREADS) {
        let source = ((top + ky) * params.grid + left + first + i / HEAD4) * 3u * row4 + head * HEAD4 + i % HEAD4;
        keys[i] = qkv[source + row4];
        values[i] = qkv[source + 2u * row4];
      }
      workgroupBarrier();
      for (var k = 0u; k < count; k++) {
        var score = 0.0;
        for (var d = 0u; d < HEAD4; d++) { score += dot(q[d], keys[k * HEAD4 + d]); }
        score = score * params.scale + row_term + column_terms[(first + k) * THREADS + thread];
        if (score > highest) {
          let shrink = exp(highest - score);
          total *= shrink;
          padded_total *= shrink;
          for (var d = 0u; d < HEAD4; d++) { sum[d] *= shrink; }
          highest = score;
        }
        let weight = exp(score - highest);
        total += weight;
        for (var d = 0u; d < HEAD4; d++) { sum[d] += weight * values[k * HEAD4 + d]; }
      }
    }
    for (var kx = real; kx < WINDOW; kx++) {
      let score = padded_key_term + row_term + column_terms[kx * THREADS + thread];
      if (score > highest) {
        let shrink = exp(highest - score);
        total *= shrink;
        padded_total *= shrink;
        for (var d = 0u; d < HEAD4; d++) { sum[d] *= shrink; }
        highest = score;
      }
      padded_total += exp(score - highest);
    }
  }
  if (group.x * THREADS + thread >= height * width) { return; }
  for (var d = 0u; d < HEAD4; d++) {
    y[token * row4 + head * HEAD4 + d] = (sum[d] + padded_total * bias[2u * row4 + head * HEAD4 + d]) / (total + padded_total);
  }
}
