// y[b, t] = embedding[t] + (mask given ? conv1x1(gelu(LN(conv2x2(gelu(LN(conv2x2(mask))))))) : no_mask)
// A workgroup computes one image token of one prompt; both 2x2 convolutions have stride 2, so it needs its own 4x4 mask values only.
// A thread recomputes the 16 hidden channels, which is cheaper than sharing them, and computes every 64th group of four output channels.
import package::shared::loops::MOST_ROUNDS;
import package::shared::activation::gelu;

struct Params {
  grid: u32,
  columns4: u32,
  eps: f32,
}

// [T, C/4]
@group(0) @binding(0) var<storage, read> embedding: array<vec4<f32>>;
// [B, 4g, 4g] probabilities
@group(0) @binding(1) var<storage, read> mask: array<f32>;
// [B]: 1 where the prompt has a mask
@group(0) @binding(2) var<storage, read> mask_given: array<u32>;
// first convolution [4, 4] (output channel, cell) and its bias, LN weight, LN bias, 4 each
@group(0) @binding(3) var<storage, read> stage1: array<f32>;
// second convolution [16, 4, 4] (output channel, input channel, cell) and its bias, LN weight, LN bias, 16 each
@group(0) @binding(4) var<storage, read> stage2: array<f32>;
// third convolution [16, C/4], its bias [C/4], no_mask [C/4]
@group(0) @binding(5) var<storage, read> stage3: array<vec4<f32>>;
// [B, T, C/4]
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let token = group.x;
  let tokens = params.grid * params.grid;
  let out = (group.y * tokens + token) * params.columns4;
  if (mask_given[group.y] == 0u) {
    for (var i = 0u; i < MOST_ROUNDS; i++) {
      let c = 64u * i + thread;
      if (c >= params.columns4) { break; }
      y[out + c] = embedding[token * params.columns4 + c] + stage3[17u * params.columns4 + c];
    }
    return;
  }
  let side = 4u * params.grid;
  let first = group.y * side * side + token / params.grid * 4u * side + token % params.grid * 4u;
  var hidden: array<vec4<f32>, 4>;
  for (var cell = 0u; cell < 4u; cell++) {
    let at = first + cell / 2u * 2u * side + cell % 2u * 2u;
    let block = vec4<f32>(mask[at], mask[at + 1u], mask[at + side], mask[at + side + 1u]);
    var v = block * mat4x4<f32>(coefficients(0u), coefficients(1u), coefficients(2u), coefficients(3u)) + coefficients(4u);
    let difference = v - dot(v, vec4<f32>(0.25));
    v = difference / sqrt(dot(difference, difference) * 0.25 + params.eps) * coefficients(5u) + coefficients(6u);
    hidden[cell] = gelu(v);
  }
  var deep: array<f32, 16>;
  var mean = 0.0;
  for (var o = 0u; o < 16u; o++) {
    var sum = stage2[256u + o];
    for (var cell = 0u; cell < 4u; cell++) {
      let w = o * 16u + cell;
      sum += dot(hidden[cell], vec4<f32>(stage2[w], stage2[w + 4u], stage2[w + 8u], stage2[w + 12u]));
    }
    deep[o] = sum;
    mean += sum / 16.0;
  }
  var variance = 0.0;
  for (var o = 0u; o < 16u; o++) { variance += (deep[o] - mean) * (deep[o] - mean) / 16.0; }
  let scale = 1.0 / sqrt(variance + params.eps);
  for (var o = 0u; o < 16u; o++) { deep[o] = gelu(vec4<f32>((deep[o] - mean) * scale * stage2[272u + o] + stage2[288u + o])).x; }
  for (var i = 0u; i < MOST_ROUNDS; i++) {
    let c = 64u * i + thread;
    if (c >= params.columns4) { break; }
    var sum = stage3[16u * params.columns4 + c];
    for (var o = 0u; o < 16u; o++) { sum += deep[o] * stage3[o * params.columns4 + c]; }
    y[out + c] = embedding[token * params.columns4 + c] + sum;
  }
}

fn coefficients(i: u32) -> vec4<f32> {
  return vec4<f32>(stage1[4u * i], stage1[4u * i + 1u], stage1[4u * i + 2u], stage1[4u * i + 3u]);
}
