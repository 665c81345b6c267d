// y = [v, (v + positions) Wq + bq] with v = LN(residual + a Wo + bo) and a = softmax(scale * q.k) v for each head, or q itself where that was attended to before.
// A workgroup computes 16 queries of one batch entry, all heads.
// A thread computes one query from end to end, without a barrier, which costs a software adapter more than all the products between two of
// them. What it needs again lies in its own row of `scratch` and of `y`; lanes hold different weights and hand them to each other.
enable subgroups;

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

// Wo [inner, width], bias, LN weight, LN bias, Wq [width, columns], bias
@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
// [B * Nq, q_row]
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
// [B * Nk, kv_row]
@group(0) @binding(2) var<storage, read> kv: array<vec4<f32>>;
// [B * Nq, residual_row]
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
// [B * Nq, positions_row]
@group(0) @binding(4) var<storage, read> positions: array<vec4<f32>>;
// [B * Nq, width + columns]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
// [B * Nq, inner]: a
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let lane = invocation % 4u;
  // Past the last query, threads repeat it: all lanes take part, and write the same.
  let row = group.y * p.queries + min(group.x * 16u + thread, p.queries - 1u);
  attend(row, group.y * p.keys);
  let to = row * (p.width + p.columns) / 4u;
  let width4 = p.width / 4u;
  let vectors = (p.inner + 1u) * width4;
  var phases = 1u;
  if (p.columns > 0u) { phases = 2u; }
  for (var phase = 0u; phase < phases; phase++) {
    let projects = phase == 1u;
    let columns4 = select(width4, p.columns / 4u, projects);
    let channels4 = select(p.inner / 4u, width4, projects);
    let matrix = select(0u, vectors + 2u * width4, projects);
    for (var n4 = 0u; n4 < columns4; n4 += 4u) {
      let bias = matrix + 4u * channels4 * columns4 + n4;
      var s0 = weights[bias]; var s1 = weights[bias + 1u]; var s2 = weights[bias + 2u]; var s3 = weights[bias + 3u];
      for (var k4 = 0u; k4 < channels4; k4++) {
        var x = vec4<f32>();
        if (projects) { x = y[to + k4] + positions[row * p.positions_row / 4u + k4]; } else { x = scratch[row * channels4 + k4]; }
        let w = matrix + (4u * k4 + lane) * columns4 + n4;
        let w0 = weights[w]; let w1 = weights[w + 1u]; let w2 = weights[w + 2u]; let w3 = weights[w + 3u];
        s0 += x.x * subgroupBroadcast(w0, 0u) + x.y * subgroupBroadcast(w0, 1u) + x.z * subgroupBroadcast(w0, 2u) + x.w * subgroupBroadcast(w0, 3u);
        s1 += x.x * subgroupBroadcast(w1, 0u) + x.y * subgroupBroadcast(w1, 1u) + x.z * subgroupBroadcast(w1, 2u) + x.w * subgroupBroadcast(w1, 3u);
        s2 += x.x * subgroupBroadcast(w2, 0u) + x.y * subgroupBroadcast(w2, 1u) + x.z * subgroupBroadcast(w2, 2u) + x.w * subgroupBroadcast(w2, 3u);
        s3 += x.x * subgroupBroadcast(w3, 0u) + x.y * subgroupBroadcast(w3, 1u) + x.z * subgroupBroadcast(w3, 2u) + x.w * subgroupBroadcast(w3, 3u);
      }
      let at = to + select(0u, width4, projects) + n4;
      y[at] = s0; y[at + 1u] = s1; y[at + 2u] = s2; y[at + 3u] = s3;
    }
    if (!projects) { normalise(to, row * p.residual_row / 4u, vectors); }
  }
}

// The row of y at `to`, with the residual at `before`, normalised in place.
fn normalise(to: u32, before: u32, first: u32) {
  let width4 = params.width / 4u;
  var sum = 0.0;
  for (var c = 0u; c < width4; c++) {
    if (params.residual_row > 0u) { y[to + c] += residual[before + c]; }
    sum += dot(y[to + c], vec4<f32>(1.0));
  }
  let mean = sum / f32(params.width);
  var squares = 0.0;
  for (var c = 0u; c < width4; c++) {
    let difference = y[to + c] - mean;
    squares += dot(difference, difference);
  }
  let scale = 1.0 / sqrt(squares / f32(params.width) + params.eps);
  for (var c = 0u; c < width4; c++) { y[to + c] = (y[to + c] - mean) * scale * weights[first + c] + weights[first + width4 + c]; }
}

// One row of `scratch`, a head at a time with a running softmax over the keys from `first` on.
fn attend(row: u32, first: u32) {
  let p = params;
  let head4 = p.inner / p.heads / 4u;
  for (var head = 0u; head < p.heads; head++) {
    let own = row * p.inner / 4u + head * head4;
    let asked = (row * p.q_row + p.q_first) / 4u + head * head4;
    for (var i = 0u; i < head4; i++) { scratch[own + i] = select(vec4<f32>(), q[asked + i], p.keys == 0u); }
    var highest = -3.0e38;
    var total = 0.0;
    for (var key = first; key < first + p.keys; key++) {
      let k = (key * p.kv_row + p.k_first) / 4u + head * head4;
      let v = (key * p.kv_row + p.v_first) / 4u + head * head4;
      var score = 0.0;
      for (var i = 0u; i < head4; i++) { score += dot(q[asked + i], kv[k + i]); }
      score *= p.scale;
      let top = max(highest, score);
      let shrink = exp(highest - top);
      let weight = exp(score - top);
      highest = top;
      total = total * shrink + weight;
      for (var i = 0u; i < head4; i++) { scratch[own + i] = scratch[own + i] * shrink + weight * kv[v + i]; }
    }
    if (p.keys > 0u) {
      for (var i = 0u; i < head4; i++) { scratch[own + i] /= total; }
    }
  }
}
