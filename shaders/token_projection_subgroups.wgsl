// y = [x, x' W + b] as in token_projection.wgsl: x = LN(residual + sum over splits of partial + bias), or without splits the decoder's tokens.
// A workgroup computes BLOCK columns of the projection of 8 * ROWS rows, and x or x' for itself, in its own block of `scratch`.
// A thread computes ROWS rows, 8 apart, without a barrier, which costs a software adapter more than the products; lanes hand each other weights.
import package::shared::lanes::{first_four, last_four, one_of};
import package::shared::token_params::Params;
import package::shared::turns::sin_turns;
enable subgroups;

const BLOCK: u32 = 64u;
// 1 or 2
const ROWS: u32 = 1u;
// That share weights, 4 or 8: at most the smallest size of a subgroup.
const LANES: u32 = 4u;

// Bias, LN weight and LN bias, or gaussian [2, width / 2], labels [5, width] and output tokens; then W [width, columns], b
@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
// [splits, rows, width] of partial sums; or [B, tokens - output tokens, 4] of prompts: x, y in model pixels, label, unused
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
// [rows, residual_row]; or [copied, width + columns], the output tokens' part of y
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>;
// [rows, positions_row]
@group(0) @binding(3) var<storage, read> positions: array<vec4<f32>>;
// [rows and copies, width + columns]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
// [blocks of columns, rows, width]: x'
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let p = params;
  let lane = invocation % LANES;
  let width4 = p.width / 4u;
  let columns4 = p.columns / 4u;
  let length4 = width4 + columns4;
  let computing = (p.rows + 8u * ROWS - 1u) / (8u * ROWS);
  if (group.x >= computing) {
    let first = (group.x - computing) * p.tokens * length4;
    for (var i = group.y * 8u + thread; i < p.copied * length4; i += 8u * groups.y) { y[first + i] = residual[i]; }
    return;
  }
  // Columns that see positions and columns that do not have workgroups of their own.
  let blocks = (p.positional + BLOCK - 1u) / BLOCK;
  let adds = group.y < blocks;
  // Past the last row, threads compute it too, since all lanes hold weights, but store nothing.
  let first = group.x * ROWS * 8u + thread;
  let stores = vec2<bool>(p.rows > first, p.rows > first + 8u && ROWS > 1u);
  let row = min(vec2<u32>(first, first + 8u), vec2<u32>(p.rows - 1u));
  let own = (group.y * p.rows + row) * width4;
  // The rows of y that are the ones to be computed.
  let computed = p.tokens - p.copied;
  let place = row / computed * p.tokens + p.copied + row % computed;
  let to = place * length4;
  for (var i = 0u; i < ROWS; i++) {
    if (stores[i]) { make(row[i], place[i], own[i], to[i], adds, group.y == 0u); }
  }
  let matrix = select(3u, 6u + p.output_tokens, p.splits == 0u) * width4;
  let begin = select(p.positional / 4u + (group.y - blocks) * BLOCK / 4u, group.y * BLOCK / 4u, adds);
  let end = min(begin + BLOCK / 4u, select(columns4, p.positional / 4u, adds));
  for (var n4 = begin; n4 < end; n4 += 4u) {
    // Past the last column, that one again.
    let n = min(vec4<u32>(n4, n4 + 1u, n4 + 2u, n4 + 3u), vec4<u32>(end - 1u));
    let pair = select(n.xz, n.yw, lane >= 4u);
    let bias = matrix + p.width * columns4;
    // A lane loads four columns of the bias.
    var a = first_four(weights[bias + n[lane % 4u]]);
    var b = a;
    for (var k4 = 0u; k4 < width4; k4++) {
      let xa = scratch[own.x + k4]; var xb = vec4<f32>();
      if (ROWS > 1u) { xb = scratch[own.y + k4]; }
      let w = matrix + (4u * k4 + lane % 4u) * columns4;
      // With eight lanes, a load holds two columns.
      let w0 = weights[w + pair.x]; let w2 = weights[w + pair.y];
      var m = first_four(w0); a[0] += m * xa; if (ROWS > 1u) { b[0] += m * xb; }
      m = first_four(w2); a[2] += m * xa; if (ROWS > 1u) { b[2] += m * xb; }
      if (LANES == 8u) { m = last_four(w0); } else { m = first_four(weights[w + n.y]); }
      a[1] += m * xa; if (ROWS > 1u) { b[1] += m * xb; }
      if (LANES == 8u) { m = last_four(w2); } else { m = first_four(weights[w + n.w]); }
      a[3] += m * xa; if (ROWS > 1u) { b[3] += m * xb; }
    }
    let at = to + width4 + n4;
    for (var i = 0u; i < min(4u, end - n4); i++) {
      if (stores.x) { y[at.x + i] = one_of(a, i); }
      if (stores.y) { y[at.y + i] = one_of(b, i); }
    }
  }
}

// The row's x, for the first workgroup of the row in y; in `scratch` with positions, where the columns see them.
fn make(row: u32, place: u32, own: u32, to: u32, adds: bool, first: bool) {
  let p = params;
  let width4 = p.width / 4u;
  var sum = 0.0;
  for (var c = 0u; c < width4; c++) {
    var x = vec4<f32>();
    if (p.splits == 0u) {
      x = token(place, c);
    } else {
      x = weights[c] + residual[row * p.residual_row / 4u + c];
      for (var split = 0u; split < p.splits; split++) { x += source[(split * p.rows + row) * width4 + c]; }
    }
    scratch[own + c] = x;
    sum += dot(x, vec4<f32>(1.0));
  }
  let mean = sum / f32(p.width);
  var squares = 0.0;
  for (var c = 0u; c < width4; c++) {
    let difference = scratch[own + c] - mean;
    squares += dot(difference, difference);
  }
  let scale = 1.0 / sqrt(squares / f32(p.width) + p.eps);
  for (var c = 0u; c < width4; c++) {
    var x = scratch[own + c];
    if (p.splits > 0u) { x = (x - mean) * scale * weights[width4 + c] + weights[2u * width4 + c]; }
    if (first) { y[to + c] = x; }
    if (adds) { x += positions[row * p.positions_row / 4u + c]; }
    scratch[own + c] = x;
  }
}

// Four channels of a token of the prompts.
fn token(row: u32, c: u32) -> vec4<f32> {
  let p = params;
  let width4 = p.width / 4u;
  let half4 = width4 / 2u;
  let at = row % p.tokens;
  var value = vec4<f32>();
  // The label's row of the table; output tokens come after the five of them.
  var label = 5u + at;
  if (at >= p.output_tokens) {
    let prompt = source[row / p.tokens * (p.tokens - p.output_tokens) + at - p.output_tokens];
    label = 4u;
    if (prompt.z >= 0.0) {
      label = u32(prompt.z);
      // Half a pixel to its centre, then to [-1, 1]; a quarter turn on, sin is cos.
      let centre = 2.0 * (prompt.xy + 0.5) * p.inverse_size - 1.0;
      let turns = centre.x * weights[c % half4] + centre.y * weights[half4 + c % half4];
      let shifted = turns - round(turns) + select(0.25, 0.0, c < half4);
      value = vec4<f32>(sin_turns(shifted.x), sin_turns(shifted.y), sin_turns(shifted.z), sin_turns(shifted.w));
    }
  }
  return value + weights[(1u + label) * width4 + c];
}
