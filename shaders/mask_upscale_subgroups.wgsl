// y[k] = hyper[k] . gelu(convT(gelu(LN(convT(image))))): mask logits, as in mask_upscale.wgsl.
// A workgroup computes 16 image tokens of one prompt, all masks.
// A thread computes two tokens from end to end, without a barrier, which costs a software adapter more than all the products between two of
// them. The channels of its cells lie in rows of its own of `scratch`; lanes hold different weights and hand them to each other.
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

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let p = params;
  let lane = invocation % 4u;
  let tokens = p.grid * p.grid;
  // Past the last token, threads compute it too, since all lanes hold weights, but store nothing.
  let first = group.x * 16u + thread;
  let stores = vec2<bool>(first < tokens, first + 8u < tokens);
  let token = min(vec2<u32>(first, first + 8u), vec2<u32>(tokens - 1u));
  let width4 = p.width / 4u;
  let row = (group.y * tokens + token) * width4;
  let vectors = p.width * width4;
  for (var n4 = 0u; n4 < width4; n4 += 4u) {
    let bias = vectors + n4;
    var a0 = weights[bias]; var a1 = weights[bias + 1u]; var a2 = weights[bias + 2u]; var a3 = weights[bias + 3u];
    var b0 = a0; var b1 = a1; var b2 = a2; var b3 = a3;
    for (var k4 = 0u; k4 < width4; k4++) {
      let a = image[row.x + k4];
      let b = image[row.y + k4];
      let w = (4u * k4 + lane) * width4 + n4;
      let w0 = weights[w]; let w1 = weights[w + 1u]; let w2 = weights[w + 2u]; let w3 = weights[w + 3u];
      var v0 = subgroupBroadcast(w0, 0u); var v1 = subgroupBroadcast(w1, 0u); var v2 = subgroupBroadcast(w2, 0u); var v3 = subgroupBroadcast(w3, 0u);
      a0 += a.x * v0; a1 += a.x * v1; a2 += a.x * v2; a3 += a.x * v3; b0 += b.x * v0; b1 += b.x * v1; b2 += b.x * v2; b3 += b.x * v3;
      v0 = subgroupBroadcast(w0, 1u); v1 = subgroupBroadcast(w1, 1u); v2 = subgroupBroadcast(w2, 1u); v3 = subgroupBroadcast(w3, 1u);
      a0 += a.y * v0; a1 += a.y * v1; a2 += a.y * v2; a3 += a.y * v3; b0 += b.y * v0; b1 += b.y * v1; b2 += b.y * v2; b3 += b.y * v3;
      v0 = subgroupBroadcast(w0, 2u); v1 = subgroupBroadcast(w1, 2u); v2 = subgroupBroadcast(w2, 2u); v3 = subgroupBroadcast(w3, 2u);
      a0 += a.z * v0; a1 += a.z * v1; a2 += a.z * v2; a3 += a.z * v3; b0 += b.z * v0; b1 += b.z * v1; b2 += b.z * v2; b3 += b.z * v3;
      v0 = subgroupBroadcast(w0, 3u); v1 = subgroupBroadcast(w1, 3u); v2 = subgroupBroadcast(w2, 3u); v3 = subgroupBroadcast(w3, 3u);
      a0 += a.w * v0; a1 += a.w * v1; a2 += a.w * v2; a3 += a.w * v3; b0 += b.w * v0; b1 += b.w * v1; b2 += b.w * v2; b3 += b.w * v3;
    }
    let to = row + n4;
    if (stores.x) { scratch[to.x] = a0; scratch[to.x + 1u] = a1; scratch[to.x + 2u] = a2; scratch[to.x + 3u] = a3; }
    if (stores.y) { scratch[to.y] = b0; scratch[to.y + 1u] = b1; scratch[to.y + 2u] = b2; scratch[to.y + 3u] = b3; }
  }
  let quarter4 = width4 / 4u;
  for (var cell = 0u; cell < 4u; cell++) {
    for (var i = 0u; i < 2u; i++) {
      if (stores[i]) { normalise(row[i] + cell * quarter4, vectors + width4); }
    }
    pixels(group.y, token, stores, cell, row + cell * quarter4, vectors + width4 + 2u * quarter4, lane);
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
fn pixels(batch: u32, token: vec2<u32>, stores: vec2<bool>, cell: u32, at: vec2<u32>, matrix: u32, lane: u32) {
  let p = params;
  let side = 4u * p.grid;
  let half4 = p.width / 8u;
  let eighth4 = p.width / 32u;
  for (var n4 = 0u; n4 < half4; n4 += 2u) {
    let channel4 = n4 % eighth4;
    let bias = matrix + p.width / 4u * half4 + channel4;
    var a0 = weights[bias]; var a1 = weights[bias + 1u];
    var b0 = a0; var b1 = a1;
    for (var k4 = 0u; k4 < p.width / 16u; k4++) {
      let a = scratch[at.x + k4];
      let b = scratch[at.y + k4];
      let w = matrix + (4u * k4 + lane) * half4 + n4;
      let w0 = weights[w]; let w1 = weights[w + 1u];
      var v0 = subgroupBroadcast(w0, 0u); var v1 = subgroupBroadcast(w1, 0u);
      a0 += a.x * v0; a1 += a.x * v1; b0 += b.x * v0; b1 += b.x * v1;
      v0 = subgroupBroadcast(w0, 1u); v1 = subgroupBroadcast(w1, 1u);
      a0 += a.y * v0; a1 += a.y * v1; b0 += b.y * v0; b1 += b.y * v1;
      v0 = subgroupBroadcast(w0, 2u); v1 = subgroupBroadcast(w1, 2u);
      a0 += a.z * v0; a1 += a.z * v1; b0 += b.z * v0; b1 += b.z * v1;
      v0 = subgroupBroadcast(w0, 3u); v1 = subgroupBroadcast(w1, 3u);
      a0 += a.w * v0; a1 += a.w * v1; b0 += b.w * v0; b1 += b.w * v1;
    }
    a0 = gelu(a0); a1 = gelu(a1); b0 = gelu(b0); b1 = gelu(b1);
    let pixel = n4 / eighth4;
    let corner = (4u * (token / p.grid) + cell / 2u * 2u + pixel / 2u) * side + 4u * (token % p.grid) + 2u * (cell % 2u) + pixel % 2u;
    for (var mask = 0u; mask < p.masks; mask++) {
      let own = (batch * p.hyper_rows + mask) * eighth4 + channel4;
      let h0 = hyper[own];
      let h1 = hyper[own + 1u];
      let to = (batch * p.masks + mask) * side * side + corner;
      if (stores.x) { y[to.x] = select(y[to.x], 0.0, channel4 == 0u) + dot(a0, h0) + dot(a1, h1); }
      if (stores.y) { y[to.y] = select(y[to.y], 0.0, channel4 == 0u) + dot(b0, h0) + dot(b1, h1); }
    }
  }
}
