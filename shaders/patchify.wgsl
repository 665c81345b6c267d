// y[token, (channel, row, column) of the patch] = (pixel - offset) / divisor of the channel; 0 where the image does not reach: padding is of the normalised image.
// A workgroup computes 64 groups of four columns of patches.
// A thread computes four columns of one patch row in one channel.

struct Params {
  grid: u32,
  patch_side: u32,
  count4: u32,
}

// [S, S]: channel 0 | 1 << 8 | 2 << 16 | 255 << 24 inside the image
@group(0) @binding(0) var<storage, read> pixels: array<u32>;
// [2, 4]: offsets, divisors
@group(0) @binding(1) var<storage, read> colours: array<f32>;
// [T, 3 * P * P / 4]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let i = global.x;
  if (i >= params.count4) { return; }
  let patch4 = params.patch_side / 4u;
  let column = i % patch4 * 4u;
  let row = i / patch4 % params.patch_side;
  let channel = i / (patch4 * params.patch_side) % 3u;
  let token = i / (patch4 * params.patch_side * 3u);
  let first = ((token / params.grid) * params.patch_side + row) * params.grid * params.patch_side + token % params.grid * params.patch_side + column;
  let four = vec4<u32>(pixels[first], pixels[first + 1u], pixels[first + 2u], pixels[first + 3u]);
  let values = vec4<f32>((four >> vec4<u32>(8u * channel)) & vec4<u32>(255u));
  // Looked up once: on software adapters each load is a loop over the lanes.
  y[i] = select((values - colours[channel]) / colours[4u + channel], vec4<f32>(), (four >> vec4<u32>(24u)) == vec4<u32>());
}
