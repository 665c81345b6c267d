// Eight rows at a time against a matrix, in workgroups of 256 threads, for up to 256 channels: neighbouring threads read neighbouring weights,
// and each weight once for all eight rows. Of a product a thread has four columns and a share of the channels, so that waits for weights are
// few; otherwise it has a column of `rows` of its own, rows 0 to 3 at element `thread`, 4 to 7 at 256 + thread.
import package::shared::loops::MOST_ROUNDS;

// Matrices [channels, columns] and vectors, one behind the other; all have lengths in fours.
@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;

// By channel: rows 0 to 3, then rows 4 to 7.
var<workgroup> rows: array<vec4<f32>, 512>;
var<workgroup> row_sums: array<vec4<f32>, 64>;

// Eight rows of a column, with that value in row i. Columns are made in loops and stored whole: compilers for phones are weak at single
// components of vectors in workgroup memory, and a software adapter takes many times longer to compile loops written out.
fn with_row(eight: mat2x4<f32>, i: u32, value: f32) -> mat2x4<f32> {
  let four = vec4<u32>(0u, 1u, 2u, 3u);
  return mat2x4<f32>(select(eight[0], vec4<f32>(value), four == vec4<u32>(i)), select(eight[1], vec4<f32>(value), four + 4u == vec4<u32>(i)));
}

fn put(thread: u32, eight: mat2x4<f32>) {
  rows[thread] = eight[0];
  rows[256u + thread] = eight[1];
}

fn add(thread: u32, eight: mat2x4<f32>) {
  rows[thread] += eight[0];
  rows[256u + thread] += eight[1];
}

fn scalar(i: u32) -> f32 {
  return weights[i / 4u][i % 4u];
}

// `count` columns from `start` on of rows * matrix + bias, in place of `rows`: of a matrix of `columns` that begins at `first`, its bias behind it.
// Contains barriers, before and after: call from uniform control flow.
fn product(thread: u32, first: u32, columns: u32, start: u32, count: u32, channels: u32) {
  let wide = select(32u, 64u, count > 128u);
  let shares = 256u / wide;
  let share = thread / wide;
  let own = thread % wide;
  let columns4 = columns / 4u;
  let at = first / 4u + start / 4u + min(own, count / 4u - 1u);
  // By column.
  var low: array<vec4<f32>, 4>;
  var high: array<vec4<f32>, 4>;
  workgroupBarrier();
  // Eight channels of a share at a time, all on their way at once. Counted by ones, so that compilers see the end of the loops.
  let rounds = (channels + 8u * shares - 1u) / (8u * shares);
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (round >= rounds) { break; }
    let begin = 8u * (round * shares + share);
    for (var i = 0u; i < 8u; i++) {
      let k = min(begin + i, channels - 1u);
      let column = select(vec4<f32>(), weights[at + k * columns4], begin + i < channels);
      let a = rows[k];
      let b = rows[256u + k];
      for (var j = 0u; j < 4u; j++) {
        low[j] = fma(a, vec4<f32>(column[j]), low[j]);
        high[j] = fma(b, vec4<f32>(column[j]), high[j]);
      }
    }
  }
  // Each share adds up one of the four columns, of which all others hand it their part, always in the same order.
  var sum_low = picked(low, share);
  var sum_high = picked(high, share);
  for (var turn = 1u; turn < MOST_ROUNDS; turn++) {
    if (turn >= shares) { break; }
    workgroupBarrier();
    rows[thread] = picked(low, share + turn);
    rows[256u + thread] = picked(high, share + turn);
    workgroupBarrier();
    let other = (share + shares - turn) % shares * wide + own;
    sum_low += rows[other];
    sum_high += rows[256u + other];
  }
  workgroupBarrier();
  // More than four shares: the rest has the same sums.
  if (share < 4u && own < count / 4u) {
    let column = 4u * own + share;
    let bias = vec4<f32>(scalar(first + channels * columns + start + column));
    rows[column] = sum_low + bias;
    rows[256u + column] = sum_high + bias;
  }
  workgroupBarrier();
}

// Element i % 4, without an index that is not known when it is compiled.
fn picked(four: array<vec4<f32>, 4>, i: u32) -> vec4<f32> {
  return select(select(four[0], four[1], i % 2u == 1u), select(four[2], four[3], i % 2u == 1u), i % 4u >= 2u);
}

// LayerNorm of `rows` over the first `channels` threads, whose weights and biases begin at `first`. Two passes: the variance is of the
// differences from the mean, which f32 needs. Contains barriers.
fn normalise(thread: u32, channels: u32, first: u32, eps: f32) {
  let inside = f32(thread < channels);
  let count = f32(channels);
  var low = rows[thread] * inside;
  var high = rows[256u + thread] * inside;
  var sum_low = vec4<f32>();
  var sum_high = vec4<f32>();
  for (var squares = 0u; squares < 2u; squares++) {
    rows[thread] = select(low, low * low, squares == 1u);
    rows[256u + thread] = select(high, high * high, squares == 1u);
    workgroupBarrier();
    // Of each half of the rows 64 sums of four, then 16, 4 and 1.
    var left = 64u;
    for (var level = 0u; level < MOST_ROUNDS; level++) {
      if (left == 0u) { break; }
      if (thread < 2u * left) {
        let own = thread / left * 256u + thread % left;
        rows[own] = (rows[own] + rows[own + left]) + (rows[own + 2u * left] + rows[own + 3u * left]);
      }
      workgroupBarrier();
      left /= 4u;
    }
    sum_low = rows[0] / count;
    sum_high = rows[256] / count;
    if (squares == 0u) {
      low = (low - sum_low) * inside;
      high = (high - sum_high) * inside;
    }
    workgroupBarrier();
  }
  let channel = min(thread, channels - 1u);
  let scale = scalar(first + channel);
  let bias = scalar(first + channels + channel);
  rows[thread] = low / sqrt(sum_low + eps) * scale + bias;
  rows[256u + thread] = high / sqrt(sum_high + eps) * scale + bias;
}
