// y[z, r, n] = act( sum over splits s of partial[s, r, n] ) + residual[r mod residual rows, n]: the second pass of a split product, always in the same order.
// A workgroup computes 64 groups of four columns.
// A thread computes one group.
import package::shared::loops::MOST_ROUNDS;
import package::shared::activation::activate;

struct Params {
  count4: u32,
  n4: u32,
  splits: u32,
  activation: u32,
  // Only columns below residual_columns4 have a residual.
  residual_rows: u32,
  residual_columns4: u32,
}

// [splits, rows, N/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [residual rows, N/4]
@group(0) @binding(1) var<storage, read> residual: array<vec4<f32>>;
// [rows, N/4]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  let i = global.x;
  if (i >= params.count4) { return; }
  var sum = vec4<f32>();
  // Eight parts on their way at once.
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (8u * round >= params.splits) { break; }
    for (var j = 0u; j < 8u; j++) {
      let s = 8u * round + j;
      sum += select(vec4<f32>(), x[min(s, params.splits - 1u) * params.count4 + i], s < params.splits);
    }
  }
  var v = activate(params.activation, sum);
  if (i % params.n4 < params.residual_columns4) { v += residual[i % (params.residual_rows * params.n4)]; }
  y[i] = v;
}
