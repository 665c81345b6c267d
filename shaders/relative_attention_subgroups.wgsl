// y = softmax_k( q.k / sqrt(d) + q.Rh[qy - ky + K - 1] + q.Rw[qx - kx + K - 1] ) v, as relative_attention.wgsl has it, for software adapters.
// A workgroup computes THREADS queries of one window and head; the lanes of a subgroup each load another key and hand it to the others.
// A thread computes one query with a running softmax over eight keys at a time; its sums stay in y: arrays of its own take half a minute to compile.
import package::shared::lanes::{first_four, last_four};
import package::shared::window_keys::place_of;
enable subgroups;

// That hold keys, 4 (of two each) or 8: at most the smallest size of a subgroup.
const LANES: u32 = 4u;
const THREADS: u32 = 32u;
// K, the window's side
const WINDOW: u32 = 14u;
const OFFSETS: bool = false;
const TABLE: u32 = 1u;

struct Params {
  grid: u32,
  heads: u32,
  first_head: u32,
  scale: f32,
  // d / 4
  head4: u32,
}

// [T, 3 (q, k, v), heads, d/4]
@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
// [3, heads, d/4]
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
// [2K - 1, d/4]; with OFFSETS [heads, TABLE/4]
@group(0) @binding(2) var<storage, read> rel_h: array<vec4<f32>>;
// [2K - 1, d/4]
@group(0) @binding(3) var<storage, read> rel_w: array<vec4<f32>>;
// [T, heads, d/4]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

// q.Rh for each key row and thread, q.Rw for each key column and thread
var<workgroup> row_terms: array<f32, WINDOW * THREADS>;
var<workgroup> column_terms: array<f32, WINDOW * THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let windows = (p.grid + WINDOW - 1u) / WINDOW;
  let top = group.y / windows * WINDOW;
  let left = group.y % windows * WINDOW;
  let height = min(WINDOW, p.grid - top);
  let width = min(WINDOW, p.grid - left);
  if (group.x * THREADS >= height * width) { return; }
  // Threads past the last query repeat it and store nothing: the others need their lanes.
  let stores = group.x * THREADS + thread < height * width;
  let index = min(group.x * THREADS + thread, height * width - 1u);
  let qy = index / width;
  let qx = index % width;
  let head = p.first_head + group.z;
  let row4 = p.heads * p.head4;
  let token = (top + qy) * p.grid + left + qx;
  let q = token * 3u * row4 + head * p.head4;
  let out = token * row4 + head * p.head4;
  let lane = invocation % LANES;

  var bias_score = 0.0;
  for (var d = 0u; d < p.head4; d++) { bias_score += dot(qkv[q + d], bias[row4 + head * p.head4 + d]); }
  bias_score *= p.scale;
  for (var i = 0u; i < select(WINDOW, 0u, OFFSETS); i++) {
    var row_term = 0.0;
    var column_term = 0.0;
    for (var d = 0u; d < p.head4; d++) {
      let part = qkv[q + d];
      row_term += dot(part, rel_h[(qy + WINDOW - 1u - i) * p.head4 + d]);
      column_term += dot(part, rel_w[(qx + WINDOW - 1u - i) * p.head4 + d]);
    }
    row_terms[i * THREADS + thread] = row_term;
    column_terms[i * THREADS + thread] = column_term;
  }

  // Tokens that pad the window come first: they have a score each but one value, the bias.
  var highest = -3.0e38;
  var total = 0.0;
  let padded = height * width < WINDOW * WINDOW;
  for (var i = 0u; i < select(0u, WINDOW * WINDOW, padded); i++) {
    let ky = i / WINDOW;
    let kx = i % WINDOW;
    if (ky >= height || kx >= width) {
      let score = bias_score + position(vec2<u32>(kx, ky), vec2<u32>(qx, qy), head, thread);
      let top_score = max(highest, score);
      total = total * exp(highest - top_score) + exp(score - top_score);
      highest = top_score;
    }
  }
  var bias_total = total;
  let keys = vec2<u32>(width, height);
  let window = (top * p.grid + left) * 3u * row4 + row4 + head * p.head4;
  for (var first = 0u; first < width * height; first += 8u) {
    let k0 = window + dot(place_of(keys, first + lane), vec2<u32>(1u, p.grid)) * 3u * row4;
    let k1 = window + dot(place_of(keys, first + lane + 4u), vec2<u32>(1u, p.grid)) * 3u * row4;
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    for (var d = 0u; d < p.head4; d++) {
      let part = qkv[q + d];
      let k = qkv[k0 + d];
      s0 += part * first_four(k);
      s1 += part * next_four(k, k1 + d);
    }
    s0 = s0 * p.scale + positions(keys, first, vec2<u32>(qx, qy), head, thread);
    s1 = s1 * p.scale + positions(keys, first + 4u, vec2<u32>(qx, qy), head, thread);
    let highest_of = max(s0, s1);
    let top_score = max(highest, max(max(highest_of.x, highest_of.y), max(highest_of.z, highest_of.w)));
    let shrink = exp(highest - top_score);
    let w0 = exp(s0 - top_score);
    let w1 = exp(s1 - top_score);
    total = total * shrink + dot(w0 + w1, vec4<f32>(1.0));
    bias_total *= shrink;
    highest = top_score;
    for (var d = 0u; d < p.head4; d++) {
      let v = qkv[k0 + row4 + d];
      var sum = first_four(v) * w0 + next_four(v, k1 + row4 + d) * w1;
      if (stores) {
        if (first > 0u) { sum += shrink * y[out + d]; }
        y[out + d] = sum;
      }
    }
  }
  if (!stores) { return; }
  for (var d = 0u; d < p.head4; d++) {
    y[out + d] = (y[out + d] + bias_total * bias[2u * row4 + head * p.head4 + d]) / total;
  }
}

// What the lanes hold of the second four of eight keys, which four lanes load themselves.
fn next_four(v: vec4<f32>, at: u32) -> mat4x4<f32> {
  if (LANES == 4u) { return first_four(qkv[at]); }
  return last_four(v);
}

// The relative-position terms of four keys; far below every score where there is none.
fn positions(keys: vec2<u32>, first: u32, query: vec2<u32>, head: u32, thread: u32) -> vec4<f32> {
  let terms = vec4<f32>(position(place_of(keys, first), query, head, thread), position(place_of(keys, first + 1u), query, head, thread), position(place_of(keys, first + 2u), query, head, thread), position(place_of(keys, first + 3u), query, head, thread));
  return select(vec4<f32>(-1.0e38), terms, first + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(keys.x * keys.y));
}

fn position(key: vec2<u32>, query: vec2<u32>, head: u32, thread: u32) -> f32 {
  if (!OFFSETS) { return row_terms[key.y * THREADS + thread] + column_terms[key.x * THREADS + thread]; }
  let apart = max(query, key) - min(query, key);
  let offset = head * TABLE + apart.y * WINDOW + apart.x;
  return rel_h[offset / 4u][offset % 4u];
}
