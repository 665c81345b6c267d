// y[k] = hyper[k] . gelu(convT(gelu(LN(convT(image))))): mask logits, as in mask_upscale.wgsl.
// A workgroup computes 16 image tokens of one prompt, all masks.
// A thread computes two tokens from end to end, without a barrier, which costs a software adapter more than all the products between two of
// them. The channels of its cells lie in rows of its own of `scratch`; lanes hold different weights and hand them to each other.
import package::shared::activation::gelu;
import package::shared::lanes::{first_four, one_of};
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
    // A lane loads four columns of the bias.
    var a = first_four(weights[vectors + n4 + lane]);
    var b = a;
    for (var k4 = 0u; k4 < width4; k4++) {
      let xa = image[row.x + k4];
      let xb = image[row.y + k4];
      let w = (4u * k4 + lane) * width4 + n4;
      let w0 = weights[w]; let w1 = weights[w + 1u]; let w2 = weights[w + 2u]; let w3 = weights[w + 3u];
      var m = first_four(w0); a[0] += m * xa; b[0] += m * xb;
      m = first_four(w1); a[1] += m * xa; b[1] += m * xb;
      m = first_four(w2); a[2] += m * xa; b[2] += m * xb;
      m = first_four(w3); a[3] += m * xa; b[3] += m * xb;
    }
    let to = row + n4;
    // Four, which the compiler need not know.
    for (var i = 0u; i < min(4u, width4 - n4); i++) {
      if (stores.x) { scratch[to.x + i] = one_of(a, i); }
      if (stores.y) { scratch[to.y + i] = one_of(b, i); }
    }
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
      let xa = scratch[at.x + k4];
      let xb = scratch[at.y + k4];
      let w = matrix + (4u * k4 + lane) * half4 + n4;
      let w0 = weights[w]; let w1 = weights[w + 1u];
      var m = first_four(w0); a0 += m * xa; b0 += m * xb;
      m = first_four(w1); a1 += m * xa; b1 += m * xb;
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
