// y[b] = [iou token, mask tokens, sparse prompts]: a prompt is PE(x, y) + table[label], or table[4] alone for label -1 (not a point).
// A workgroup computes one token of one prompt.
// A thread computes one frequency: sin goes to channel f, cos to channel F + f.
import package::shared::turns::{sin_turns, cos_turns};

struct Params {
  output_tokens: u32,
  prompts: u32,
  frequencies: u32,
  inverse_size: f32,
}

// [B, N]: x, y in model pixels, label (-1, 0, 1 points; 2, 3 box corners), unused
@group(0) @binding(0) var<storage, read> prompts: array<vec4<f32>>;
// [2, F]
@group(0) @binding(1) var<storage, read> gaussian: array<f32>;
// [5, 2F]: labels 0, 1, 2, 3, then -1
@group(0) @binding(2) var<storage, read> label_table: array<f32>;
// [output tokens, 2F]
@group(0) @binding(3) var<storage, read> output_table: array<f32>;
// [B, output tokens + N, 2F]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let token = group.x;
  let width = 2u * params.frequencies;
  let out = (group.y * (params.output_tokens + params.prompts) + token) * width;
  for (var f = thread; f < params.frequencies; f += 64u) {
    if (token < params.output_tokens) {
      y[out + f] = output_table[token * width + f];
      y[out + params.frequencies + f] = output_table[token * width + params.frequencies + f];
      continue;
    }
    let prompt = prompts[group.y * params.prompts + token - params.output_tokens];
    if (prompt.z < 0.0) {
      y[out + f] = label_table[4u * width + f];
      y[out + params.frequencies + f] = label_table[4u * width + params.frequencies + f];
      continue;
    }
    // Half a pixel to its centre, then to [-1, 1].
    let c = 2.0 * (prompt.xy + 0.5) * params.inverse_size - 1.0;
    let turns = c.x * gaussian[f] + c.y * gaussian[params.frequencies + f];
    let row = u32(prompt.z) * width;
    y[out + f] = sin_turns(turns) + label_table[row + f];
    y[out + params.frequencies + f] = cos_turns(turns) + label_table[row + params.frequencies + f];
  }
}
