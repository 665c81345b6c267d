// y = [v, (v + positions) Wq + bq] with v = LN(residual + a Wo + bo) and a = softmax(scale * q.k) v for each head, or q itself where that was attended to before.
// A workgroup computes eight queries of one batch entry, all heads.
// A thread computes one key's score for four queries and a head, in turn with one channel of the sum over keys; then a share of four columns of each product.
import package::shared::loops::MOST_ROUNDS;
import package::shared::rows::{rows, with_row, put, add, product, normalise};

struct Params {
  queries: u32,
  // 0: q was attended to before.
  keys: u32,
  heads: u32,
  // Channels of all heads, of v, of the projection, which there may be none of.
  inner: u32,
  width: u32,
  columns: u32,
  // Row lengths, and where in a row to begin.
  q_row: u32, q_first: u32,
  kv_row: u32, k_first: u32, v_first: u32,
  // 0: no residual.
  residual_row: u32,
  positions_row: u32,
  scale: f32,
  eps: f32,
}

// [B * Nq, q_row]
@group(0) @binding(1) var<storage, read> q: array<f32>;
// [B * Nk, kv_row / 4]
@group(0) @binding(2) var<storage, read> kv: array<vec4<f32>>;
// [B * Nq, residual_row]
@group(0) @binding(3) var<storage, read> residual: array<f32>;
// [B * Nq, positions_row]
@group(0) @binding(4) var<storage, read> positions: array<f32>;
// [B * Nq, width + columns]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

// By key, head and half of the queries.
var<workgroup> scores: array<vec4<f32>, 256>;
// By head and half of the queries.
var<workgroup> shrink: array<vec4<f32>, 64>;
var<workgroup> totals: array<vec4<f32>, 64>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let p = params;
  let first = group.y * p.queries;
  let end = first + p.queries;
  let begin = first + group.x * 8u;
  // Past the last query, that one again.
  let last = end - 1u - begin;
  let own = p.q_first + min(thread, p.inner - 1u);
  var eight: mat2x4<f32>;
  for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, q[(begin + min(i, last)) * p.q_row + own]); }
  put(thread, eight);
  if (p.keys > 0u) { attend(thread, group.y * p.keys); }
  let column = min(thread, p.width - 1u);
  product(thread, 0u, p.width, 0u, p.width, p.inner);
  if (p.residual_row > 0u) {
    for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, residual[(begin + min(i, last)) * p.residual_row + column]); }
    add(thread, eight);
  }
  let vectors = (p.inner + 1u) * p.width;
  normalise(thread, p.width, vectors, p.eps);
  let row = p.width + p.columns;
  if (thread < p.width) {
    for (var i = 0u; i < 8u; i++) {
      if (begin + i < end) { y[(begin + i) * row + thread] = rows[i / 4u * 256u + thread][i % 4u]; }
    }
  }
  if (p.columns > 0u) {
    for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, positions[(begin + min(i, last)) * p.positions_row + column]); }
    add(thread, eight);
    product(thread, vectors + 2u * p.width, p.columns, 0u, p.columns, p.width);
    if (thread < p.columns) {
      for (var i = 0u; i < 8u; i++) {
        if (begin + i < end) { y[(begin + i) * row + p.width + thread] = rows[i / 4u * 256u + thread][i % 4u]; }
      }
    }
  }
}

// The attention of the queries in `rows`, in their place, with a running softmax over groups of keys.
fn attend(thread: u32, first: u32) {
  let p = params;
  let pairs = 2u * p.heads;
  let group = 256u / pairs;
  let head_width = p.inner / p.heads;
  let channel = min(thread, p.inner - 1u);
  let own = channel / head_width * 2u;
  let pair = thread % pairs;
  let begin = pair / 2u * head_width;
  var highest = vec4<f32>(-3.0e38);
  var total = vec4<f32>();
  var low = vec4<f32>(); var high = vec4<f32>();
  let rounds = (p.keys + group - 1u) / group;
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) { break; }
    let key = round * group;
    let count = min(group, p.keys - key);
    workgroupBarrier();
    let at = ((first + min(key + thread / pairs, p.keys - 1u)) * p.kv_row + p.k_first + begin) / 4u;
    var score = vec4<f32>();
    // 32 channels on their way at once.
    for (var block = 0u; block < MOST_ROUNDS; block++) {
      if (32u * block >= head_width) { break; }
      for (var i = 0u; i < 8u; i++) {
        let d = 32u * block + 4u * i;
        let k = select(vec4<f32>(), kv[at + min(d, head_width - 4u) / 4u], d < head_width);
        let q_at = pair % 2u * 256u + begin + min(d, head_width - 4u);
        for (var c = 0u; c < 4u; c++) { score = fma(rows[q_at + c], vec4<f32>(k[c]), score); }
      }
    }
    scores[thread] = score * p.scale;
    workgroupBarrier();
    // A thread a head and half turns the scores into weights, relative to the highest so far.
    if (thread < pairs) {
      let before = highest;
      for (var j = 0u; j < MOST_ROUNDS; j++) {
        if (j >= count) { break; }
        highest = max(highest, scores[j * pairs + thread]);
      }
      shrink[thread] = exp(before - highest);
      total *= shrink[thread];
      for (var j = 0u; j < MOST_ROUNDS; j++) {
        if (j >= count) { break; }
        let weight = exp(scores[j * pairs + thread] - highest);
        scores[j * pairs + thread] = weight;
        total += weight;
      }
      totals[thread] = total;
    }
    workgroupBarrier();
    low *= shrink[own];
    high *= shrink[own + 1u];
    // Eight keys' values on their way at once.
    for (var block = 0u; block < MOST_ROUNDS; block++) {
      if (8u * block >= count) { break; }
      for (var i = 0u; i < 8u; i++) {
        let j = min(8u * block + i, count - 1u);
        let at = (first + key + j) * p.kv_row + p.v_first + channel;
        let value = select(0.0, kv[at / 4u][at % 4u], 8u * block + i < count);
        low = fma(scores[j * pairs + own], vec4<f32>(value), low);
        high = fma(scores[j * pairs + own + 1u], vec4<f32>(value), high);
      }
    }
  }
  rows[thread] = low / totals[own];
  rows[256u + thread] = high / totals[own + 1u];
}
