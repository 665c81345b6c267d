// y = [v, (v + positions) Wq + bq] with v = LN(residual + a Wo + bo) and a = softmax(scale * q.k) v for each head, or q itself where that was attended to before.
// A workgroup computes 16 queries of one batch entry, all heads.
// A thread computes two queries, 8 apart, from end to end, without a barrier, which costs a software adapter more than all the products between two
// of them. What it needs again lies in rows of its own of `scratch` and of `y`; lanes hold different weights and hand them to each other.
import package::shared::lanes::{first_four, one_of};
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
  let first = group.x * 16u + thread;
  let stores = vec2<bool>(p.queries > first, p.queries > first + 8u);
  let query = group.y * p.queries + min(vec2<u32>(first, first + 8u), vec2<u32>(p.queries - 1u));
  for (var i = 0u; i < 2u; i++) {
    if (stores[i]) { attend(query[i], group.y * p.keys); }
  }
  let to = query * (p.width + p.columns) / 4u;
  let width4 = p.width / 4u;
  let vectors = (p.inner + 1u) * width4;
  for (var phase = 0u; phase < select(1u, 2u, p.columns > 0u); phase++) {
    let projects = phase == 1u;
    let columns4 = select(width4, p.columns / 4u, projects);
    let channels4 = select(p.inner / 4u, width4, projects);
    let matrix = select(0u, vectors + 2u * width4, projects);
    for (var n4 = 0u; n4 < columns4; n4 += 4u) {
      // A lane loads four columns of the bias.
      var a = first_four(weights[matrix + 4u * channels4 * columns4 + n4 + lane]);
      var b = a;
      for (var k4 = 0u; k4 < channels4; k4++) {
        let xa = operand(projects, to.x, query.x, k4);
        let xb = operand(projects, to.y, query.y, k4);
        let w = matrix + (4u * k4 + lane) * columns4 + n4;
        let w0 = weights[w]; let w1 = weights[w + 1u]; let w2 = weights[w + 2u]; let w3 = weights[w + 3u];
        var m = first_four(w0); a[0] += m * xa; b[0] += m * xb;
        m = first_four(w1); a[1] += m * xa; b[1] += m * xb;
        m = first_four(w2); a[2] += m * xa; b[2] += m * xb;
        m = first_four(w3); a[3] += m * xa; b[3] += m * xb;
      }
      let at = to + select(0u, width4, projects) + n4;
      // Four, which the compiler need not know.
      for (var i = 0u; i < min(4u, columns4 - n4); i++) {
        if (stores.x) { y[at.x + i] = one_of(a, i); }
        if (stores.y) { y[at.y + i] = one_of(b, i); }
      }
    }
    for (var i = 0u; i < select(2u, 0u, projects); i++) {
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
    var v = y[to + c];
    if (params.residual_row > 0u) { v += residual[before + c]; }
    y[to + c] = v;
    sum += dot(v, vec4<f32>(1.0));
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
fn attend(row: u32, first: u32) {
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
    let sums = mat4x4<f32>(s0, s1, s2, s3);
    for (var i = 0u; i <= right - c; i++) {
      scratch[own + c + i] = one_of(sums, i) / total;
      if (p.keys == 0u) { scratch[own + c + i] = q[asked + c + i]; }
    }
  }
}
