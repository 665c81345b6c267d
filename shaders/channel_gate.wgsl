// y = sigmoid(W2 * relu(W1 * x)), the squeeze-and-excitation gate of the adapter, on the mean of each channel.
// One workgroup computes all of it: two tiny products, the second needs the whole first.
// A thread computes every 256th group of four outputs of each product.
import package::shared::activation::activate;

struct Params {
  columns4: u32,
  hidden4: u32,
}

// [C/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [C, H/4]
@group(0) @binding(1) var<storage, read> weight1: array<vec4<f32>>;
// [H, C/4]
@group(0) @binding(2) var<storage, read> weight2: array<vec4<f32>>;
// [C/4]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

// H up to 1024
const MAX_HIDDEN4: u32 = 256u;
var<workgroup> hidden: array<vec4<f32>, MAX_HIDDEN4>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
  for (var h = thread; h < params.hidden4; h += 256u) {
    var sum = vec4<f32>();
    for (var c = 0u; c < params.columns4; c++) {
      let v = x[c];
      let w = 4u * c * params.hidden4 + h;
      sum += v.x * weight1[w] + v.y * weight1[w + params.hidden4] + v.z * weight1[w + 2u * params.hidden4] + v.w * weight1[w + 3u * params.hidden4];
    }
    hidden[h] = activate(1u, sum);
  }
  workgroupBarrier();
  for (var c = thread; c < params.columns4; c += 256u) {
    var sum = vec4<f32>();
    for (var h = 0u; h < params.hidden4; h++) {
      let v = hidden[h];
      let w = 4u * h * params.columns4 + c;
      sum += v.x * weight2[w] + v.y * weight2[w + params.columns4] + v.z * weight2[w + 2u * params.columns4] + v.w * weight2[w + 3u * params.columns4];
    }
    y[c] = activate(3u, sum);
  }
}
