// y = [v, (v + positions) Wq + bq] with v = LN(residual + a Wo + bo) and a = softmax(scale * q.k) v for each head, or q itself where that was attended to before.
// A workgroup computes 8 * ROWS queries of one batch entry, all heads.
// A thread computes ROWS queries from end to end, without a barrier, which costs a software adapter more than all the products between two
// of them. What it needs again lies in rows of its own of `scratch` and of `y`; lanes hold different weights and hand them to each other.
enable subgroups;

// 1 or 2: a thread's queries are 8 apart.
const ROWS: u32 = 2u;

struct Params {
  queries: u32,
  // 0: q was attended to before.
  keys: u32,
  heads: u32,
  // Channels of all heads, of v, of the projection, which there may be none of.
  inner: u32,
  width: u32,
  columns: u32,
  // Row lengths, and where in a row to begin. No residual has length 0.
  q_row: u32, q_first: u32,
  kv_row: u32, k_first: u32, v_first: u32,
  residual_row: u32, positions_row: u32,
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

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let lane = invocation % 4u;
  // Past the last query, threads compute it too, since all lanes hold weights, but store nothing.
  let first = group.x * ROWS * 8u + thread;
  let stores = vec2<bool>(p.queries > first, p.queries > first + 8u && ROWS > 1u);
  let query = group.y * p.queries + min(vec2<u32>(first, first + 8u), vec2<u32>(p.queries - 1u));
  for (var i = 0u; i < ROWS; i++) { attend(query[i], group.y * p.keys, stores[i]); }
  let to = query * (p.width + p.columns) / 4u;
  let width4 = p.width / 4u;
  let vectors = (p.inner + 1u) * width4;
  for (var phase = 0u; phase < select(1u, 2u, p.columns > 0u); phase++) {
    let projects = phase == 1u;
    let columns4 = select(width4, p.columns / 4u, projects);
    let channels4 = select(p.inner / 4u, width4, projects);
    let matrix = select(0u, vectors + 2u * width4, projects);
    for (var n4 = 0u; n4 < columns4; n4 += 4u) {
      let bias = matrix + 4u * channels4 * columns4 + n4;
      var a0 = weights[bias]; var a1 = weights[bias + 1u]; var a2 = weights[bias + 2u]; var a3 = weights[bias + 3u];
      var b0 = a0; var b1 = a1; var b2 = a2; var b3 = a3;
      for (var k4 = 0u; k4 < channels4; k4++) {
        let a = operand(projects, to.x, query.x, k4);
        var b = vec4<f32>();
        if (ROWS > 1u) { b = operand(projects, to.y, query.y, k4); }
        let w = matrix + (4u * k4 + lane) * columns4 + n4;
        let w0 = weights[w]; let w1 = weights[w + 1u]; let w2 = weights[w + 2u]; let w3 = weights[w + 3u];
        var v0 = subgroupBroadcast(w0, 0u); var v1 = subgroupBroadcast(w1, 0u); var v2 = subgroupBroadcast(w2, 0u); var v3 = subgroupBroadcast(w3, 0u);
        a0 += a.x * v0; a1 += a.x * v1; a2 += a.x * v2; a3 += a.x * v3;
        if (ROWS > 1u) { b0 += b.x * v0; b1 += b.x * v1; b2 += b.x * v2; b3 += b.x * v3; }
        v0 = subgroupBroadcast(w0, 1u); v1 = subgroupBroadcast(w1, 1u); v2 = subgroupBroadcast(w2, 1u); v3 = subgroupBroadcast(w3, 1u);
        a0 += a.y * v0; a1 += a.y * v1; a2 += a.y * v2; a3 += a.y * v3;
        if (ROWS > 1u) { b0 += b.y * v0; b1 += b.y * v1; b2 += b.y * v2; b3 += b.y * v3; }
        v0 = subgroupBroadcast(w0, 2u); v1 = subgroupBroadcast(w1, 2u); v2 = subgroupBroadcast(w2, 2u); v3 = subgroupBroadcast(w3, 2u);
        a0 += a.z * v0; a1 += a.z * v1; a2 += a.z * v2; a3 += a.z * v3;
        if (ROWS > 1u) { b0 += b.z * v0; b1 += b.z * v1; b2 += b.z * v2; b3 += b.z * v3; }
        v0 = subgroupBroadcast(w0, 3u); v1 = subgroupBroadcast(w1, 3u); v2 = subgroupBroadcast(w2, 3u); v3 = subgroupBroadcast(w3, 3u);
        a0 += a.w * v0; a1 += a.w * v1; a2 += a.w * v2; a3 += a.w * v3;
        if (ROWS > 1u) { b0 += b.w * v0; b1 += b.w * v1; b2 += b.w * v2; b3 += b.w * v3; }
      }
      let at = to + select(0u, width4, projects) + n4;
      if (stores.x) { y[at.x] = a0; y[at.x + 1u] = a1; y[at.x + 2u] = a2; y[at.x + 3u] = a3; }
      if (stores.y) { y[at.y] = b0; y[at.y + 1u] = b1; y[at.y + 2u] = b2; y[at.y + 3u] = b3; }
    }
    for (var i = 0u; i < select(ROWS, 0u, projects); i++) {
      if (stores[i]) { normalise(to[i], query[i] * p.residual_row / 4u, vectors); }
    }
  }
}

// Four channels of what is multiplied: the attended row, or the row of y at `to` with its positions.
fn operand(projects: bool, to: u32, row: u32, k4: u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (projects) { v = y[to + k4] + positions[row * params.positions_row / 4u + k4]; } else { v = scratch[row * params.inner / 4u + k4]; }
  return v;
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

// One row of `scratch`, four vectors of a head at a time, with a running softmax over the keys from `first` on.
fn attend(row: u32, first: u32, stores: bool) {
  let p = params;
  let head4 = p.inner / p.heads / 4u;
  let own = row * p.inner / 4u;
  let asked = (row * p.q_row + p.q_first) / 4u;
  let parts = (head4 + 3u) / 4u;
  for (var part = 0u; part < p.heads * parts; part++) {
    let head = part / parts * head4;
    let c = head + part % parts * 4u;
    // Past the head's last vector, that one again.
    let right = min(c + 3u, head + head4 - 1u);
    let c1 = min(c + 1u, right); let c2 = min(c + 2u, right);
    var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
    var highest = -3.0e38; var total = 0.0;
    for (var key = first; key < first + p.keys; key++) {
      let k = (key * p.kv_row + p.k_first) / 4u;
      let v = (key * p.kv_row + p.v_first) / 4u;
      var score = 0.0;
      for (var i = head; i < head + head4; i++) { score += dot(q[asked + i], kv[k + i]); }
      score *= p.scale;
      let top = max(highest, score);
      let shrink = exp(highest - top);
      let weight = exp(score - top);
      highest = top;
      total = total * shrink + weight;
      s0 = s0 * shrink + weight * kv[v + c]; s1 = s1 * shrink + weight * kv[v + c1];
      s2 = s2 * shrink + weight * kv[v + c2]; s3 = s3 * shrink + weight * kv[v + right];
    }
    if (p.keys == 0u) { s0 = q[asked + c]; s1 = q[asked + c1]; s2 = q[asked + c2]; s3 = q[asked + right]; total = 1.0; }
    if (stores) { scratch[own + c] = s0 / total; scratch[own + c1] = s1 / total; scratch[own + c2] = s2 / total; scratch[own + right] = s3 / total; }
  }
}
