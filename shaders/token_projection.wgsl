// y = [x, x' W + b], x' = x + positions for the first columns, with x = LN(residual + sum over splits of partial + bias), the end of an MLP;
// or, without splits, x the decoder's tokens: [iou token, mask tokens, prompts], a prompt PE(x, y) + table[label], or table[4] alone for label -1.
// A workgroup computes BLOCK columns of the projection of eight rows, and x for itself.
// A thread computes one channel of x, then a share of four columns of the projection.
import package::shared::loops::MOST_ROUNDS;
import package::shared::token_params::Params;
import package::shared::rows::{scalar, rows, with_row, put, add, product, normalise};
import package::shared::turns::sin_turns;

// At most 256; half of that makes more workgroups, and their waits fewer.
const BLOCK: u32 = 128u;
// Parts of x that are on their way at once, for each of eight rows.
const AHEAD = 2u;

// [splits, rows, width] of partial sums; or [B, tokens - output tokens, 4] of prompts: x, y in model pixels, label, unused
@group(0) @binding(1) var<storage, read> source: array<f32>;
// [rows, residual_row]; or [copied, width + columns], the output tokens' part of y
@group(0) @binding(2) var<storage, read> residual: array<f32>;
// [rows, positions_row]
@group(0) @binding(3) var<storage, read> positions: array<f32>;
// [rows and copies, width + columns]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let p = params;
  let length = p.width + p.columns;
  let computing = (p.rows + 7u) / 8u;
  if (group.x >= computing) {
    let to = (group.x - computing) * p.tokens * length;
    for (var round = 0u; round < MOST_ROUNDS; round++) {
      let i = (round * groups.y + group.y) * 256u + thread;
      if (i >= p.copied * length) { break; }
      y[to + i] = residual[i];
    }
    return;
  }
  let begin = group.x * 8u;
  let end = min(begin + 8u, p.rows);
  // Past the last row, that one again.
  let last = p.rows - 1u - begin;
  let channel = min(thread, p.width - 1u);
  var eight: mat2x4<f32>;
  if (p.splits == 0u) {
    for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, token(place(begin + min(i, last)), channel)); }
  } else {
    for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, scalar(channel) + residual[(begin + min(i, last)) * p.residual_row + channel]); }
    for (var round = 0u; round < MOST_ROUNDS; round++) {
      if (AHEAD * round >= p.splits) { break; }
      for (var j = 0u; j < AHEAD; j++) {
        let split = AHEAD * round + j;
        let at = min(split, p.splits - 1u) * p.rows + begin;
        var part: mat2x4<f32>;
        for (var i = 0u; i < 8u; i++) { part = with_row(part, i, select(0.0, source[(at + min(i, last)) * p.width + channel], split < p.splits)); }
        eight += part;
      }
    }
  }
  put(thread, eight);
  // Before the matrix come the tables of the prompts, or the vectors bias, LN weight and LN bias.
  var matrix = (6u + p.output_tokens) * p.width;
  if (p.splits > 0u) {
    normalise(thread, p.width, p.width, p.eps);
    matrix = 3u * p.width;
  }
  if (group.y == 0u && thread < p.width) {
    for (var i = 0u; i < 8u; i++) {
      if (begin + i < end) { y[place(begin + i) * length + thread] = rows[i / 4u * 256u + thread][i % 4u]; }
    }
  }
  // Columns that see positions and columns that do not have workgroups of their own.
  let blocks = (p.positional + BLOCK - 1u) / BLOCK;
  var start = group.y * BLOCK;
  var columns = p.positional;
  if (group.y < blocks) {
    for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, positions[(begin + min(i, last)) * p.positions_row + channel]); }
    add(thread, eight);
  } else {
    start += p.positional - blocks * BLOCK;
    columns = p.columns;
  }
  let count = min(BLOCK, columns - start);
  product(thread, matrix, p.columns, start, count, p.width);
  if (thread < count) {
    for (var i = 0u; i < 8u; i++) {
      if (begin + i < end) { y[place(begin + i) * length + p.width + start + thread] = rows[i / 4u * 256u + thread][i % 4u]; }
    }
  }
}

// The row of y that is the i-th to be computed.
fn place(i: u32) -> u32 {
  let own = params.tokens - params.copied;
  return i / own * params.tokens + params.copied + i % own;
}

fn token(row: u32, channel: u32) -> f32 {
  let p = params;
  let frequencies = p.width / 2u;
  let at = row % p.tokens;
  // The label's row of the table; output tokens come after the five of them.
  var value = 0.0;
  var label = 5u + at;
  if (at >= p.output_tokens) {
    let i = 4u * (row / p.tokens * (p.tokens - p.output_tokens) + at - p.output_tokens);
    label = 4u;
    if (source[i + 2u] >= 0.0) {
      label = u32(source[i + 2u]);
      // Half a pixel to its centre, then to [-1, 1].
      let c = 2.0 * (vec2<f32>(source[i], source[i + 1u]) + 0.5) * p.inverse_size - 1.0;
      let turns = c.x * scalar(channel % frequencies) + c.y * scalar(frequencies + channel % frequencies);
      // A quarter turn on, sin is cos.
      value = sin_turns(turns - round(turns) + select(0.25, 0.0, channel < frequencies));
    }
  }
  return value + scalar((1u + label) * p.width + channel);
}
