// y[b, k, p] = sum over channels c of hyper[b, k, c] * features[b, p, c]: the mask logits.
// A workgroup computes 64 pixels of one prompt, all K masks.
// A thread computes one pixel.

struct Params {
  pixels: u32,
  columns4: u32,
  masks: u32,
  hyper_rows: u32,
}

// [B, hyper_rows, C/4], the first K rows used
@group(0) @binding(0) var<storage, read> hyper: array<vec4<f32>>;
// [B, pixels, C/4]
@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>;
// [B, K, pixels]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let pixel = global.x;
  let batch = global.y;
  if (pixel >= params.pixels) { return; }
  for (var mask = 0u; mask < params.masks; mask++) {
    var sum = 0.0;
    for (var c = 0u; c < params.columns4; c++) {
      sum += dot(hyper[(batch * params.hyper_rows + mask) * params.columns4 + c], features[(batch * params.pixels + pixel) * params.columns4 + c]);
    }
    y[(batch * params.masks + mask) * params.pixels + pixel] = sum;
  }
}
