// y[k] = hyper[k] . gelu(convT(gelu(LN(convT(image))))): mask logits, as in mask_upscale.wgsl.
// A workgroup computes 16 image tokens of one prompt, all masks.
// A thread computes one token from end to end, without a barrier, which costs a software adapter more than all the products between two of
// them. The channels of its cells lie in its own row of `scratch`; lanes hold different weights and hand them to each other.
import package::shared::activation::gelu;
enable subgroups;

struct Params {
  grid: u32,
  // Channels of a token; a cell has a quarter, a pixel an eighth.
  width: u32,
  masks: u32,
  hyper_rows: u32,
  eps: f32,
}

// [width, 4 cells * width / 4], bias for each cell, LN weight, LN bias, [width / 4, 4 pixels * width / 8], bias
@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
// [B * T, width]
@group(0) @binding(1) var<storage, read> image: array<vec4<f32>>;
// [B * hyper rows, width / 8], the first rows of each prompt used
@group(0) @binding(2) var<storage, read> hyper: array<vec4<f32>>;
// [B, masks, 4g, 4g]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
// [B * T, width]
@group(0) @binding(4) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let lane = invocation % 4u;
  let tokens = p.grid * p.grid;
  // Past the last token, threads repeat it: all lanes take part, and write the same.
  let token = min(group.x * 16u + thread, tokens - 1u);
  let width4 = p.width / 4u;
  let row = (group.y * tokens + token) * width4;
  let vectors = p.width * width4;
  for (var n4 = 0u; n4 < width4; n4 += 4u) {
    let bias = vectors + n4;
    var s0 = weights[bias]; var s1 = weights[bias + 1u]; var s2 = weights[bias + 2u]; var s3 = weights[bias + 3u];
    for (var k4 = 0u; k4 < width4; k4++) {
      let x = image[row + k4];
      let w = (4u * k4 + lane) * width4 + n4;
      let w0 = weights[w]; let w1 = weights[w + 1u]; let w2 = weights[w + 2u]; let w3 = weights[w + 3u];
      s0 += x.x * subgroupBroadcast(w0, 0u) + x.y * subgroupBroadcast(w0, 1u) + x.z * subgroupBroadcast(w0, 2u) + x.w * subgroupBroadcast(w0, 3u);
      s1 += x.x * subgroupBroadcast(w1, 0u) + x.y * subgroupBroadcast(w1, 1u) + x.z * subgroupBroadcast(w1, 2u) + x.w * subgroupBroadcast(w1, 3u);
      s2 += x.x * subgroupBroadcast(w2, 0u) + x.y * subgroupBroadcast(w2, 1u) + x.z * subgroupBroadcast(w2, 2u) + x.w * subgroupBroadcast(w2, 3u);
      s3 += x.x * subgroupBroadcast(w3, 0u) + x.y * subgroupBroadcast(w3, 1u) + x.z * subgroupBroadcast(w3, 2u) + x.w * subgroupBroadcast(w3, 3u);
    }
    scratch[row + n4] = s0; scratch[row + n4 + 1u] = s1; scratch[row + n4 + 2u] = s2; scratch[row + n4 + 3u] = s3;
  }
  let quarter4 = width4 / 4u;
  for (var cell = 0u; cell < 4u; cell++) {
    normalise(row + cell * quarter4, vectors + width4);
    pixels(group.y, token, cell, row + cell * quarter4, vectors + width4 + 2u * quarter4, lane);
  }
}

// LayerNorm and GELU of a cell of `scratch`, in place.
fn normalise(at: u32, first: u32) {
  let quarter4 = params.width / 16u;
  let count = f32(4u * quarter4);
  var sum = 0.0;
  for (var c = 0u; c < quarter4; c++) { sum += dot(scratch[at + c], vec4<f32>(1.0)); }
  let mean = sum / count;
  var squares = 0.0;
  for (var c = 0u; c < quarter4; c++) {
    let difference = scratch[at + c] - mean;
    squares += dot(difference, difference);
  }
  let scale = 1.0 / sqrt(squares / count + params.eps);
  for (var c = 0u; c < quarter4; c++) { scratch[at + c] = gelu((scratch[at + c] - mean) * scale * weights[first + c] + weights[first + quarter4 + c]); }
}

// The logits of the four pixels of a cell, eight channels at a time.
fn pixels(batch: u32, token: u32, cell: u32, at: u32, matrix: u32, lane: u32) {
  let p = params;
  let quarter4 = p.width / 16u;
  let half4 = p.width / 8u;
  let eighth4 = p.width / 32u;
  for (var n4 = 0u; n4 < half4; n4 += 2u) {
    let channel4 = n4 % eighth4;
    let bias = matrix + p.width / 4u * half4 + channel4;
    var s0 = weights[bias]; var s1 = weights[bias + 1u];
    for (var k4 = 0u; k4 < quarter4; k4++) {
      let x = scratch[at + k4];
      let w = matrix + (4u * k4 + lane) * half4 + n4;
      let w0 = weights[w]; let w1 = weights[w + 1u];
      s0 += x.x * subgroupBroadcast(w0, 0u) + x.y * subgroupBroadcast(w0, 1u) + x.z * subgroupBroadcast(w0, 2u) + x.w * subgroupBroadcast(w0, 3u);
      s1 += x.x * subgroupBroadcast(w1, 0u) + x.y * subgroupBroadcast(w1, 1u) + x.z * subgroupBroadcast(w1, 2u) + x.w * subgroupBroadcast(w1, 3u);
    }
    s0 = gelu(s0);
    s1 = gelu(s1);
    let pixel = n4 / eighth4;
    let corner = 4u * vec2<u32>(token % p.grid, token / p.grid) + vec2<u32>(2u * (cell % 2u) + pixel % 2u, cell / 2u * 2u + pixel / 2u);
    for (var mask = 0u; mask < p.masks; mask++) {
      let own = (batch * p.hyper_rows + mask) * eighth4 + channel4;
      let to = ((batch * p.masks + mask) * 4u * p.grid + corner.y) * 4u * p.grid + corner.x;
      y[to] = select(y[to], 0.0, channel4 == 0u) + dot(s0, hyper[own]) + dot(s1, hyper[own + 1u]);
    }
  }
}
