// y[i] = a chain of fused multiply-adds, 8 vectors of 4 wide, `steps` long: what the device computes at best.
// A workgroup computes 256 chains.
// A thread computes one: 64 FLOP a step, all in registers, eight independent vectors to hide the latency.

struct Params {
  steps: u32,
  count: u32,
  factor: f32,
  term: f32,
}

// [count]
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let a = vec4<f32>(params.factor);
  let b = vec4<f32>(params.term) + vec4<f32>(f32(global.x & 7u));
  var v0 = b;
  var v1 = b + 1.0;
  var v2 = b + 2.0;
  var v3 = b + 3.0;
  var v4 = b + 4.0;
  var v5 = b + 5.0;
  var v6 = b + 6.0;
  var v7 = b + 7.0;
  for (var step = 0u; step < params.steps; step++) {
    v0 = fma(v0, a, b);
    v1 = fma(v1, a, b);
    v2 = fma(v2, a, b);
    v3 = fma(v3, a, b);
    v4 = fma(v4, a, b);
    v5 = fma(v5, a, b);
    v6 = fma(v6, a, b);
    v7 = fma(v7, a, b);
  }
  let sum = v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7;
  if (global.x < params.count) { y[global.x] = sum.x + sum.y + sum.z + sum.w; }
}
