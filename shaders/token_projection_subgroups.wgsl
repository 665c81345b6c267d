// y = [x, x' W + b] as in token_projection.wgsl: x = LN(residual + sum over splits of partial + bias), or without splits the decoder's tokens.
// A workgroup computes 64 columns of the projection of eight rows, and x for itself, in its own block of `scratch`.
// A thread computes one row, without a barrier, which costs a software adapter more than all the products between two of them; lanes hold
// different weights and hand them to each other.
import package::shared::token_params::Params;
import package::shared::turns::sin_turns;
enable subgroups;

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
// [blocks of columns, rows, width]: x
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let p = params;
  let lane = invocation % 4u;
  let width4 = p.width / 4u;
  let columns4 = p.columns / 4u;
  let length4 = width4 + columns4;
  let computing = (p.rows + 7u) / 8u;
  if (group.x >= computing) {
    let first = (group.x - computing) * p.tokens * length4;
    for (var i = group.y * 8u + thread; i < p.copied * length4; i += 8u * groups.y) { y[first + i] = residual[i]; }
    return;
  }
  // Past the last row, threads compute it too, since all lanes hold weights, but store nothing.
  let stores = group.x * 8u + thread < p.rows;
  let row = min(group.x * 8u + thread, p.rows - 1u);
  let own = (group.y * p.rows + row) * width4;
  // The row of y that is the one to be computed.
  let computed = p.tokens - p.copied;
  let place = row / computed * p.tokens + p.copied + row % computed;
  let to = place * length4;
  if (stores) { make(row, place, own, to, group.y == 0u); }
  let matrix = select(3u, 6u + p.output_tokens, p.splits == 0u) * width4;
  // Columns that see positions and columns that do not have workgroups of their own.
  let blocks = (p.positional + 63u) / 64u;
  let adds = group.y < blocks;
  let begin = select(p.positional / 4u + (group.y - blocks) * 16u, group.y * 16u, adds);
  let end = min(begin + 16u, select(columns4, p.positional / 4u, adds));
  for (var n4 = begin; n4 < end; n4 += 4u) {
    // Past the last column, that one again.
    let n = min(vec4<u32>(n4, n4 + 1u, n4 + 2u, n4 + 3u), vec4<u32>(end - 1u));
    let bias = matrix + p.width * columns4;
    var s0 = weights[bias + n.x]; var s1 = weights[bias + n.y]; var s2 = weights[bias + n.z]; var s3 = weights[bias + n.w];
    for (var k4 = 0u; k4 < width4; k4++) {
      var x = scratch[own + k4];
      if (adds) { x += positions[row * p.positions_row / 4u + k4]; }
      let w = matrix + (4u * k4 + lane) * columns4;
      let w0 = weights[w + n.x]; let w1 = weights[w + n.y]; let w2 = weights[w + n.z]; let w3 = weights[w + n.w];
      s0 += x.x * subgroupBroadcast(w0, 0u) + x.y * subgroupBroadcast(w0, 1u) + x.z * subgroupBroadcast(w0, 2u) + x.w * subgroupBroadcast(w0, 3u);
      s1 += x.x * subgroupBroadcast(w1, 0u) + x.y * subgroupBroadcast(w1, 1u) + x.z * subgroupBroadcast(w1, 2u) + x.w * subgroupBroadcast(w1, 3u);
      s2 += x.x * subgroupBroadcast(w2, 0u) + x.y * subgroupBroadcast(w2, 1u) + x.z * subgroupBroadcast(w2, 2u) + x.w * subgroupBroadcast(w2, 3u);
      s3 += x.x * subgroupBroadcast(w3, 0u) + x.y * subgroupBroadcast(w3, 1u) + x.z * subgroupBroadcast(w3, 2u) + x.w * subgroupBroadcast(w3, 3u);
    }
    if (stores) { y[to + width4 + n.x] = s0; y[to + width4 + n.y] = s1; y[to + width4 + n.z] = s2; y[to + width4 + n.w] = s3; }
  }
}

// The row's x, in `scratch`, and for the first workgroup of the row in y.
fn make(row: u32, place: u32, own: u32, to: u32, first: bool) {
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
    if (p.splits > 0u) { scratch[own + c] = (scratch[own + c] - mean) * scale * weights[width4 + c] + weights[2u * width4 + c]; }
    if (first) { y[to + c] = scratch[own + c]; }
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
