// y = relu(relu(x W1 + b1) W2 + b2) W3 + b3 for each head, on a token of its own: the hypernetworks of the mask tokens, then the IoU head on token 0.
// A workgroup computes one head of one prompt.
// A thread computes a share of the sums of four neighbouring columns of each layer; the shares are added up in workgroup memory.
import package::shared::loops::MOST_ROUNDS;

// Threads that share a sum. On software adapters one: they have few threads to fill, and a barrier costs more than a sum.
const SHARES: u32 = 4u;
// Channels on their way at once, in fours.
const AHEAD: u32 = 4u;

const THREADS = 64u * SHARES;

struct Params {
  heads: u32,
  width4: u32,
  outputs4: u32,
  // Rows of a prompt.
  tokens: u32,
}

// [B * tokens, width]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// For each head W1 [width, width], b1, W2 [width, width], b2, W3 [width, outputs], b3
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
// [B * heads, outputs]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// What the last layer gave.
var<workgroup> hidden: array<vec4<f32>, 64>;
var<workgroup> shares: array<vec4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let p = params;
  let head = group.x;
  if (thread < 64u) { hidden[thread] = x[(group.y * p.tokens + (head + 1u) % p.heads) * p.width4 + min(thread, p.width4 - 1u)]; }
  var matrix = head * (4u * p.width4 + 1u) * (2u * p.width4 + p.outputs4);
  for (var layer = 0u; layer < 3u; layer++) {
    // More threads share the few sums of the last layer.
    let lanes = select(64u, 16u, SHARES > 1u && layer == 2u && p.outputs4 <= 16u);
    let own = thread % lanes;
    // Written out for one share: a software adapter loads once what is the same for all threads.
    let share = select(thread / lanes, 0u, SHARES == 1u);
    let parts = THREADS / lanes;
    // Channels of a share, in fours.
    let first = share * p.width4 / parts;
    let end = (share + 1u) * p.width4 / parts;
    let columns4 = select(p.width4, p.outputs4, layer == 2u);
    let column = min(own, columns4 - 1u);
    let bias = weights[matrix + 4u * p.width4 * columns4 + column];
    var sum = select(vec4<f32>(), bias, share == 0u);
    workgroupBarrier();
    for (var round = 0u; round < MOST_ROUNDS; round++) {
      if (first + AHEAD * round >= end) { break; }
      for (var i = 0u; i < AHEAD; i++) {
        let k4 = first + AHEAD * round + i;
        let w = four_rows(matrix + 4u * min(k4, end - 1u) * columns4 + column, columns4);
        sum = summed(sum, select(vec4<f32>(), hidden[min(k4, end - 1u)], k4 < end), w);
      }
    }
    if (SHARES > 1u) { shares[thread] = sum; }
    workgroupBarrier();
    if (share == 0u) {
      for (var i = 1u; i < MOST_ROUNDS; i++) {
        if (i >= parts) { break; }
        sum += shares[lanes * i + own];
      }
      // No floor under the last layer.
      hidden[own] = select(max(sum, vec4<f32>()), sum, layer == 2u);
    }
    matrix += (4u * p.width4 + 1u) * columns4;
  }
  if (thread < p.outputs4) { y[(group.y * p.heads + head) * p.outputs4 + thread] = hidden[thread]; }
}

// Of the weights, four channels' rows of four columns.
fn four_rows(at: u32, columns4: u32) -> mat4x4<f32> {
  return mat4x4<f32>(weights[at], weights[at + columns4], weights[at + 2u * columns4], weights[at + 3u * columns4]);
}

fn summed(sum: vec4<f32>, v: vec4<f32>, w: mat4x4<f32>) -> vec4<f32> {
  return fma(w[3], vec4<f32>(v.w), fma(w[2], vec4<f32>(v.z), fma(w[1], vec4<f32>(v.y), fma(w[0], vec4<f32>(v.x), sum))));
}
