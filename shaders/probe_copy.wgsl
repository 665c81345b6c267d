// y[i] = x[i]: the bytes a second that the device's memory gives at best.
// A workgroup computes 256 vectors of 4, and again as many one grid further.
// A thread computes one vector of each grid, neighbours side by side.

struct Params {
  count4: u32,
}

// [count4 · 4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [count4 · 4]
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = global.x; i < params.count4; i += groups.x * 256u) { y[i] = x[i]; }
}
