// What the places of a query and a key in their window add to the score, for shaders/relative_attention.wgsl: q.Rh[qy - ky + K - 1] +
// q.Rw[qx - kx + K - 1], which the query's threads put down once; or with OFFSETS a number for each head and pair of distances.

// d / 4
const HEAD4: u32 = 16u;
// Threads of a query, queries of a workgroup.
const LANES: u32 = 8u;
const QUERIES: u32 = 16u;
// K, the window's side
const WINDOW: u32 = 14u;
const OFFSETS: bool = false;
// Of a head's O, K * K rounded up to fours.
const TABLE: u32 = 1u;
// Of a lane, of a row or column of keys.
const TERMS = (WINDOW + LANES - 1u) / LANES;

struct Params {
  grid: u32,
  heads: u32,
  // Of this dispatch.
  first_head: u32,
  scale: f32,
}

// [T, 3 (q, k, v), heads, d/4]
@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
// [2K - 1, d/4]; with OFFSETS O, [heads, TABLE/4]
@group(0) @binding(2) var<storage, read> rel_h: array<vec4<f32>>;
// [2K - 1, d/4]
@group(0) @binding(3) var<storage, read> rel_w: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

// q.Rh and q.Rw: [QUERIES, WINDOW]
var<workgroup> row_terms: array<f32, QUERIES * WINDOW>;
var<workgroup> column_terms: array<f32, QUERIES * WINDOW>;

// A query of its workgroup: its number there, its place in the window, its head.
struct Query {
  index: u32,
  y: u32,
  x: u32,
  head: u32,
}

// A lane's share of the terms of the query whose channels begin at `q` of qkv. A barrier follows before they are read.
fn put_terms(query: Query, lane: u32, q: u32) {
  for (var i = 0u; i < TERMS; i++) {
    let at = min(i * LANES + lane, WINDOW - 1u);
    var row = vec4<f32>();
    var column = vec4<f32>();
    for (var d = 0u; d < HEAD4; d++) {
      row = fma(qkv[q + d], rel_h[(query.y + WINDOW - 1u - at) * HEAD4 + d], row);
      column = fma(qkv[q + d], rel_w[(query.x + WINDOW - 1u - at) * HEAD4 + d], column);
    }
    row_terms[query.index * WINDOW + at] = added(row);
    column_terms[query.index * WINDOW + at] = added(column);
  }
}

fn position(query: Query, ky: u32, kx: u32) -> f32 {
  if (OFFSETS) {
    let offset = query.head * TABLE + (max(query.y, ky) - min(query.y, ky)) * WINDOW + max(query.x, kx) - min(query.x, kx);
    return rel_h[offset / 4u][offset % 4u];
  }
  return row_terms[query.index * WINDOW + ky] + column_terms[query.index * WINDOW + kx];
}

fn added(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}
