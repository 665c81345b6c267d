// y = softmax(scale * q.k) v for each query and head, as attention.wgsl has it, for software adapters and many keys.
// A workgroup computes 16 queries of one head and batch entry; the lanes of a subgroup each load two other keys and hand them to the others.
// A thread computes two queries, 8 apart, with a running softmax over 2 * LANES keys at a time; sums stay in y: arrays of its own, or a loop
// over channels that is unrolled, take half a minute to compile.
import package::shared::lanes::{first_four, last_four};
enable subgroups;

// 4 or 8: at most the smallest size of a subgroup.
const LANES: u32 = 4u;

struct Params {
  queries: u32,
  keys: u32,
  q_row4: u32, q_first4: u32,
  k_row4: u32, k_first4: u32,
  v_row4: u32, v_first4: u32,
  y_row4: u32,
  // d / 4
  head4: u32,
  scale: f32,
}

// [B * Nq, q_row4], the head's channels at q_first4 + head * head4
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
// [B * Nk, k_row4]
@group(0) @binding(1) var<storage, read> k: array<vec4<f32>>;
// [B * Nk, v_row4]
@group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
// [B * Nq, heads * head4]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let lane = invocation % LANES;
  let head = group.y * p.head4;
  // Past the last query, threads compute it too, since all lanes hold keys, but store nothing.
  let first = group.x * 16u + thread;
  let stores = vec2<bool>(first < p.queries, first + 8u < p.queries);
  let query = group.z * p.queries + min(vec2<u32>(first, first + 8u), vec2<u32>(p.queries - 1u));
  let asked = query * p.q_row4 + p.q_first4 + head;
  let to = query * p.y_row4 + head;
  var highest = vec2<f32>(-3.0e38);
  var total = vec2<f32>();
  for (var key = 0u; key < p.keys; key += 2u * LANES) {
    // Past the last key, lanes repeat it; it weighs nothing there.
    let own = group.z * p.keys + min(key + lane + vec2<u32>(0u, LANES), vec2<u32>(p.keys - 1u));
    let at_k = own * p.k_row4 + p.k_first4 + head;
    let at_v = own * p.v_row4 + p.v_first4 + head;
    // Of both queries: scores of lanes 0 to 3, then 4 to 7, then of their second keys.
    var a0 = vec4<f32>(); var a1 = vec4<f32>(); var a2 = vec4<f32>(); var a3 = vec4<f32>();
    var b0 = vec4<f32>(); var b1 = vec4<f32>(); var b2 = vec4<f32>(); var b3 = vec4<f32>();
    for (var d = 0u; d < p.head4; d++) {
      let qa = q[asked.x + d] * p.scale; let qb = q[asked.y + d] * p.scale;
      let k0 = k[at_k.x + d]; let k1 = k[at_k.y + d];
      var m = first_four(k0); a0 += qa * m; b0 += qb * m;
      m = first_four(k1); a2 += qa * m; b2 += qb * m;
      if (LANES == 8u) {
        m = last_four(k0); a1 += qa * m; b1 += qb * m;
        m = last_four(k1); a3 += qa * m; b3 += qb * m;
      }
    }
    let left = p.keys - key;
    a0 = kept(a0, left, 0u); b0 = kept(b0, left, 0u); a2 = kept(a2, left, LANES); b2 = kept(b2, left, LANES);
    var top = vec2<f32>(largest(max(a0, a2)), largest(max(b0, b2)));
    if (LANES == 8u) {
      a1 = kept(a1, left, 4u); b1 = kept(b1, left, 4u); a3 = kept(a3, left, 12u); b3 = kept(b3, left, 12u);
      top = max(top, vec2<f32>(largest(max(a1, a3)), largest(max(b1, b3))));
    }
    let before = highest;
    highest = max(before, top);
    let shrink = exp(before - highest);
    a0 = exp(a0 - highest.x); b0 = exp(b0 - highest.y); a2 = exp(a2 - highest.x); b2 = exp(b2 - highest.y);
    if (LANES == 8u) { a1 = exp(a1 - highest.x); b1 = exp(b1 - highest.y); a3 = exp(a3 - highest.x); b3 = exp(b3 - highest.y); }
    total = total * shrink + vec2<f32>(dot(a0 + a1 + a2 + a3, vec4<f32>(1.0)), dot(b0 + b1 + b2 + b3, vec4<f32>(1.0)));
    for (var d = 0u; d < p.head4; d++) {
      let v0 = v[at_v.x + d]; let v1 = v[at_v.y + d];
      var m = first_four(v0); var sa = m * a0; var sb = m * b0;
      m = first_four(v1); sa += m * a2; sb += m * b2;
      if (LANES == 8u) {
        m = last_four(v0); sa += m * a1; sb += m * b1;
        m = last_four(v1); sa += m * a3; sb += m * b3;
      }
      if (key > 0u) { sa += shrink.x * y[to.x + d]; sb += shrink.y * y[to.y + d]; }
      if (stores.x) { y[to.x + d] = sa; }
      if (stores.y) { y[to.y + d] = sb; }
    }
  }
  for (var d = 0u; d < p.head4; d++) {
    if (stores.x) { y[to.x + d] /= total.x; }
    if (stores.y) { y[to.y + d] /= total.y; }
  }
}

// The scores of the keys that are there, four from `first` on of `left`.
fn kept(scores: vec4<f32>, left: u32, first: u32) -> vec4<f32> {
  return select(vec4<f32>(-1.0e38), scores, first + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(left));
}

fn largest(w: vec4<f32>) -> f32 {
  return max(max(w.x, w.y), max(w.z, w.w));
}
