// y[c] = mean over rows of x[row, c]
// A workgroup computes 16 groups of four channels.
// A thread sums every 16th row of one group; the first 16 threads add these sums, always in the same order.

struct Params {
  rows: u32,
  columns4: u32,
}

// [rows, C/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [C/4]
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partial_sums: array<vec4<f32>, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let c = group.x * 16u + local.x;
  var sum = vec4<f32>();
  if (c < params.columns4) {
    for (var row = local.y; row < params.rows; row += 16u) { sum += x[row * params.columns4 + c]; }
  }
  partial_sums[local.y * 16u + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0u && c < params.columns4) {
    for (var i = 1u; i < 16u; i++) { sum += partial_sums[i * 16u + local.x]; }
    y[c] = sum / f32(params.rows);
  }
}
