// Eight rows at a time against a matrix, in workgroups of 256 threads, for up to 256 channels and a thread a column: neighbouring threads
// read neighbouring weights, and each weight once for all eight rows. A thread has a column of `rows` of its own, row i at element i % 4 of
// vector i / 4 * 256 + thread: where eight values are loaded or stored it is in a loop over these, because a software adapter takes many
// times longer to compile the same statements written out. Vectors are stored whole: compilers for phones are weak at single components there.
import package::shared::loops::MOST_ROUNDS;

// Matrices [channels, columns] and vectors, one behind the other.
@group(0) @binding(0) var<storage, read> weights: array<f32>;

// By channel: rows 0 to 3, then rows 4 to 7.
var<workgroup> rows: array<vec4<f32>, 512>;
var<workgroup> row_sums: array<vec4<f32>, 64>;

// The thread's column of rows * matrix + bias, for the matrix that begins at `first` and the bias behind it, in place of `rows`.
// Contains barriers, before and after: call from uniform control flow.
fn product(thread: u32, first: u32, columns: u32, column: u32, channels: u32) {
  var low = vec4<f32>(weights[first + channels * columns + column]);
  var high = low;
  workgroupBarrier();
  // Sixteen weights are on their way at once. Counted by ones, so that compilers see the end of the loops.
  let blocks = channels / 16u;
  for (var block = 0u; block < MOST_ROUNDS; block++) {
    if (block >= blocks) { break; }
    var w: array<vec4<f32>, 4>;
    for (var i = 0u; i < 4u; i++) { w[i] = four_weights(first + (16u * block + 4u * i) * columns + column, columns); }
    for (var i = 0u; i < 4u; i++) {
      let k = 16u * block + 4u * i;
      low = summed(low, k, w[i]);
      high = summed(high, 256u + k, w[i]);
    }
  }
  let fours = channels / 4u;
  for (var four = 4u * blocks; four < MOST_ROUNDS; four++) {
    if (four >= fours) { break; }
    let w = four_weights(first + 4u * four * columns + column, columns);
    low = summed(low, 4u * four, w);
    high = summed(high, 256u + 4u * four, w);
  }
  workgroupBarrier();
  rows[thread] = low;
  rows[256u + thread] = high;
}

// Eight rows of a column, with that value in row i.
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

fn four_weights(at: u32, columns: u32) -> vec4<f32> {
  return vec4<f32>(weights[at], weights[at + columns], weights[at + 2u * columns], weights[at + 3u * columns]);
}

fn summed(sum: vec4<f32>, k: u32, w: vec4<f32>) -> vec4<f32> {
  let some = fma(rows[k + 1u], vec4<f32>(w.y), fma(rows[k], vec4<f32>(w.x), sum));
  return fma(rows[k + 3u], vec4<f32>(w.w), fma(rows[k + 2u], vec4<f32>(w.z), some));
}

// LayerNorm of `rows` over the first `channels` threads, whose weights and biases begin at `first`. Two passes: the variance is of the
// differences from the mean, which f32 needs. Contains barriers.
fn normalise(thread: u32, channels: u32, first: u32, eps: f32) {
  let inside = f32(thread < channels);
  let count = f32(channels);
  var low = rows[thread] * inside;
  var high = rows[256u + thread] * inside;
  for (var squares = 0u; squares < 2u; squares++) {
    rows[thread] = select(low, low * low, squares == 1u);
    rows[256u + thread] = select(high, high * high, squares == 1u);
    workgroupBarrier();
    if (thread < 32u) {
      var sum = vec4<f32>();
      for (var i = 0u; i < 16u; i++) { sum += rows[thread / 16u * 256u + 16u * i + thread % 16u]; }
      row_sums[thread] = sum;
    }
    workgroupBarrier();
    if (thread < 2u) {
      var sum = vec4<f32>();
      for (var i = 0u; i < 16u; i++) { sum += row_sums[thread * 16u + i]; }
      row_sums[32u + thread] = sum / count;
    }
    workgroupBarrier();
    if (squares == 0u) {
      low = (low - row_sums[32]) * inside;
      high = (high - row_sums[33]) * inside;
    }
  }
  let channel = min(thread, channels - 1u);
  let scale = weights[first + channel];
  let bias = weights[first + channels + channel];
  rows[thread] = low / sqrt(row_sums[32] + eps) * scale + bias;
  rows[256u + thread] = high / sqrt(row_sums[33] + eps) * scale + bias;
}
