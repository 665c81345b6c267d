// Eight rows at a time against a matrix, in workgroups of 256 threads, for up to 256 channels and a thread a column: neighbouring threads
// read neighbouring weights, and each weight once for all eight rows. A thread has a column of `rows` of its own, row i at element i % 4 of
// vector i / 4 * 256 + thread: where eight values are loaded or stored it is in a loop over these, because a software adapter takes many
// times longer to compile the same statements written out.

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
  for (var k = 0u; k < channels; k += 4u) {
    let at = first + k * columns + column;
    let w0 = weights[at];
    let w1 = weights[at + columns];
    let w2 = weights[at + 2u * columns];
    let w3 = weights[at + 3u * columns];
    low += rows[k] * w0 + rows[k + 1u] * w1 + rows[k + 2u] * w2 + rows[k + 3u] * w3;
    high += rows[256u + k] * w0 + rows[257u + k] * w1 + rows[258u + k] * w2 + rows[259u + k] * w3;
  }
  workgroupBarrier();
  rows[thread] = low;
  rows[256u + thread] = high;
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
      for (var i = thread % 16u; i < 256u; i += 16u) { sum += rows[thread / 16u * 256u + i]; }
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
