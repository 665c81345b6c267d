// y = sigmoid(W2 * relu(W1 * mean)), the squeeze-and-excitation gate of the adapter, on the mean of each channel.
// A workgroup computes 64 channels of y, and the whole hidden layer for itself: it is small, and nobody has to wait for it.
// A thread computes a share of the sums; shares are added in workgroup memory, always in the same order.
import package::shared::loops::MOST_ROUNDS;
import package::shared::activation::activate;

// C / 4, H / 4
const COLUMNS4: u32 = 192u;
const HIDDEN4: u32 = 48u;
// Threads that share a hidden group of four.
const SHARES: u32 = 5u;
// What is on its way at once: sums over rows; groups of four channels in a sum of either layer. A software adapter waits for nothing.
const SUMS_AHEAD: u32 = 16u;
const GROUPS_AHEAD: u32 = 4u;

struct Params {
  rows: u32,
  groups: u32,
}

// [groups, C/4]: sums over rows
@group(0) @binding(0) var<storage, read> sums: array<vec4<f32>>;
// [C, H/4]
@group(0) @binding(1) var<storage, read> weight1: array<vec4<f32>>;
// [H, C/4]
@group(0) @binding(2) var<storage, read> weight2: array<vec4<f32>>;
// [C/4]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> mean: array<vec4<f32>, COLUMNS4>;
var<workgroup> hidden: array<vec4<f32>, HIDDEN4>;
var<workgroup> shares: array<vec4<f32>, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  for (var i = 0u; i < (COLUMNS4 + 255u) / 256u; i++) {
    let c = i * 256u + thread;
    if (c >= COLUMNS4) { break; }
    var sum = vec4<f32>();
    for (var round = 0u; round < MOST_ROUNDS; round++) {
      if (SUMS_AHEAD * round >= params.groups) { break; }
      for (var j = 0u; j < SUMS_AHEAD; j++) {
        let g = SUMS_AHEAD * round + j;
        sum += select(vec4<f32>(), sums[min(g, params.groups - 1u) * COLUMNS4 + c], g < params.groups);
      }
    }
    mean[c] = sum / f32(params.rows);
  }
  workgroupBarrier();
  // Neighbouring threads read neighbouring weights; the shares of a sum lie HIDDEN4 threads apart.
  for (var round = 0u; round < (HIDDEN4 + 256u / SHARES - 1u) / (256u / SHARES); round++) {
    let h = round * (256u / SHARES) + thread % (256u / SHARES);
    let share = thread / (256u / SHARES);
    var sum = vec4<f32>();
    if (h < HIDDEN4 && share < SHARES) {
      for (var i = 0u; i < MOST_ROUNDS; i++) {
        if (GROUPS_AHEAD * SHARES * i + share >= COLUMNS4) { break; }
        for (var j = 0u; j < GROUPS_AHEAD; j++) {
          let group = (GROUPS_AHEAD * i + j) * SHARES + share;
          let c = min(group, COLUMNS4 - 1u);
          let v = select(vec4<f32>(), mean[c], group < COLUMNS4);
          let w = 4u * c * HIDDEN4 + h;
          sum += v.x * weight1[w] + v.y * weight1[w + HIDDEN4] + v.z * weight1[w + 2u * HIDDEN4] + v.w * weight1[w + 3u * HIDDEN4];
        }
      }
    }
    shares[thread] = sum;
    workgroupBarrier();
    if (share == 0u && h < HIDDEN4) {
      for (var s = 1u; s < SHARES; s++) { sum += shares[thread + s * (256u / SHARES)]; }
      hidden[h] = activate(1u, sum);
    }
    workgroupBarrier();
  }
  let c = group.x * 16u + thread % 16u;
  var sum = vec4<f32>();
  if (c < COLUMNS4) {
    for (var i = 0u; i < MOST_ROUNDS; i++) {
      if (16u * GROUPS_AHEAD * i + thread / 16u >= HIDDEN4) { break; }
      for (var j = 0u; j < GROUPS_AHEAD; j++) {
        let own = 16u * (GROUPS_AHEAD * i + j) + thread / 16u;
        let h = min(own, HIDDEN4 - 1u);
        let v = select(vec4<f32>(), hidden[h], own < HIDDEN4);
        let w = 4u * h * COLUMNS4 + c;
        sum += v.x * weight2[w] + v.y * weight2[w + COLUMNS4] + v.z * weight2[w + 2u * COLUMNS4] + v.w * weight2[w + 3u * COLUMNS4];
      }
    }
  }
  shares[thread] = sum;
  workgroupBarrier();
  if (thread < 16u && c < COLUMNS4) {
    for (var s = 1u; s < 16u; s++) { sum += shares[thread + 16u * s]; }
    y[c] = activate(3u, sum);
  }
}
