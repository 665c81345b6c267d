// y = relu(relu(x W1 + b1) W2 + b2) W3 + b3 for each head, on a token of its own: the hypernetworks of the mask tokens, then the IoU head on token 0.
// A workgroup computes one head of eight prompts.
// A thread computes one column of each layer.
import package::shared::rows::{rows, product};
@if(subgroups) enable subgroups;

struct Params {
  batch: u32,
  heads: u32,
  width: u32,
  outputs: u32,
  // Rows of a prompt.
  tokens: u32,
}

// [B * tokens, width]
@group(0) @binding(1) var<storage, read> x: array<f32>;
// [B * heads, outputs]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @if(subgroups) @builtin(subgroup_invocation_id) invocation: u32) {
  @if(subgroups) let lane = invocation % 4u;
  @if(!subgroups) let lane = 0u;
  let p = params;
  let head = group.x;
  let begin = group.y * 8u;
  let end = min(begin + 8u, p.batch);
  let column = min(thread, p.width - 1u);
  for (var i = 0u; i < 8u; i++) {
    let prompt = min(begin + i, p.batch - 1u);
    rows[i / 4u * 256u + thread][i % 4u] = x[(prompt * p.tokens + (head + 1u) % p.heads) * p.width + column];
  }
  var matrix = head * (2u * (p.width + 1u) * p.width + (p.width + 1u) * p.outputs);
  for (var layer = 0u; layer < 3u; layer++) {
    let columns = select(p.width, p.outputs, layer == 2u);
    product(thread, lane, matrix, columns, min(thread, columns - 1u), p.width);
    if (layer < 2u) {
      rows[thread] = max(rows[thread], vec4<f32>());
      rows[256u + thread] = max(rows[256u + thread], vec4<f32>());
    }
    matrix += (p.width + 1u) * columns;
  }
  if (thread < p.outputs) {
    for (var i = 0u; begin + i < end; i++) { y[((begin + i) * p.heads + head) * p.outputs + thread] = rows[i / 4u * 256u + thread][i % 4u]; }
  }
}
