// y = relu(relu(x W1 + b1) W2 + b2) W3 + b3 for each head, on a token of its own: the hypernetworks of the mask tokens, then the IoU head on token 0.
// A workgroup computes one head of one prompt.
// A thread computes four neighbouring columns of each layer.

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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let p = params;
  let head = group.x;
  hidden[thread] = x[(group.y * p.tokens + (head + 1u) % p.heads) * p.width4 + min(thread, p.width4 - 1u)];
  var matrix = head * (4u * p.width4 + 1u) * (2u * p.width4 + p.outputs4);
  for (var layer = 0u; layer < 3u; layer++) {
    let columns4 = select(p.width4, p.outputs4, layer == 2u);
    let column = min(thread, columns4 - 1u);
    var sum = weights[matrix + 4u * p.width4 * columns4 + column];
    workgroupBarrier();
    for (var k4 = 0u; k4 < p.width4; k4++) {
      let v = hidden[k4];
      let at = matrix + 4u * k4 * columns4 + column;
      sum += v.x * weights[at] + v.y * weights[at + columns4] + v.z * weights[at + 2u * columns4] + v.w * weights[at + 3u * columns4];
    }
    workgroupBarrier();
    // No floor under the last layer.
    hidden[thread] = select(max(sum, vec4<f32>()), sum, layer == 2u);
    matrix += (4u * p.width4 + 1u) * columns4;
  }
  if (thread < p.outputs4) { y[(group.y * p.heads + head) * p.outputs4 + thread] = hidden[thread]; }
}
