// Operands of the gathered matrix product (src/ops/matmul.ts), common to its variants.
//   y[out(z,m), n] = act( sum over taps t, channels k of a(z,t,m)[k] * weight[z,t,k,n] + bias[n] ) + residual[out(z,m) mod residual rows, n]
// A row table makes the same product a linear layer, a convolution (a tap per kernel cell) or a transposed one (a phase z per output parity).
import package::shared::activation::activate;

// Rows come from the table. Without it, row m reads and writes row m.
const GATHER: bool = false;
// Multiplies channel k of every row read: [K].
const GATE: bool = false;

// Four columns of weights as they are stored: f32, f16, or int8 in one word. Halves that are unpacked to f32 are read in pairs and need no feature.
@if(!f16 && !f16_products && !int8) alias Stored = vec4<f32>;
@if(f16) alias Stored = vec2<u32>;
@if(f16_products) alias Stored = vec4<f16>;
@if(int8) alias Stored = u32;
// What is multiplied; sums of more than a step's channels are f32 in any case.
@if(!f16_products) alias Factor = vec4<f32>;
@if(f16_products) alias Factor = vec4<f16>;
// Weights on their way: halves that are multiplied as such stay what they are.
@if(!f16_products) alias Loaded = vec4<f32>;
@if(f16_products) alias Loaded = vec4<f16>;

const ZERO_ROW: u32 = 4294967295u;

struct Params {
  m: u32,
  n4: u32,
  k4: u32,
  taps: u32,
  splits: u32,
  out_rows: u32,
  activation: u32,
  // Only columns below residual_columns4 have a residual.
  residual_rows: u32,
  residual_columns4: u32,
  // 1: the activation is of the sum with the residual.
  activated_last: u32,
}

// [rows, K/4]
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
// [Z, T, K, N/4]; int8 ones are followed by the largest magnitude of each column, f32 [N]
@group(0) @binding(1) var<storage, read> weight: array<Stored>;
// [N/4]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
// [residual rows, N/4]
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
// [Z, T + 1, M]: the row each tap reads (or ZERO_ROW), then the row written
@group(0) @binding(4) var<storage, read> rows: array<u32>;
// [K/4]
@group(0) @binding(5) var<storage, read> gate: array<vec4<f32>>;
// [out rows, N/4], or [splits, out rows, N/4] of partial sums
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(7) var<uniform> params: Params;

// The row of x that tap t reads for row m of a phase; tap `taps` is the row of y.
fn row_of(z: u32, t: u32, m: u32) -> u32 {
  if (!GATHER) { return m; }
  return rows[(z * (params.taps + 1u) + t) * params.m + m];
}

// Four channels from 4 * k4 of a row, as the product sees them.
fn load_x(row: u32, k4: u32) -> vec4<f32> {
  if (GATHER && row == ZERO_ROW) { return vec4<f32>(); }
  var v = x[row * params.k4 + k4];
  if (GATE) { v *= gate[k4]; }
  return v;
}

// Four columns of weights, int8 ones before scaling.
@if(!f16 && !f16_products && !int8) fn load_weight(i: u32) -> Loaded { return weight[i]; }
@if(f16) fn load_weight(i: u32) -> Loaded { return vec4<f32>(unpack2x16float(weight[i].x), unpack2x16float(weight[i].y)); }
@if(f16_products) fn load_weight(i: u32) -> Loaded { return weight[i]; }
@if(int8) fn load_weight(i: u32) -> Loaded {
  return vec4<f32>(vec4<i32>(vec4<u32>(weight[i]) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

// sum + v * w, four channels of a row by four columns. In f32 four fused steps: separate products would be added for nothing.
@if(!f16_products) fn multiplied(sum: vec4<f32>, v: Factor, w0: Factor, w1: Factor, w2: Factor, w3: Factor) -> vec4<f32> {
  return fma(vec4<f32>(v.w), w3, fma(vec4<f32>(v.z), w2, fma(vec4<f32>(v.y), w1, fma(vec4<f32>(v.x), w0, sum))));
}
@if(f16_products) fn multiplied(sum: vec4<f32>, v: Factor, w0: Factor, w1: Factor, w2: Factor, w3: Factor) -> vec4<f32> {
  return sum + vec4<f32>(multiplied_half(Factor(), v, w0, w1, w2, w3));
}
@if(f16_products) fn multiplied_half(sum: Factor, v: Factor, w0: Factor, w1: Factor, w2: Factor, w3: Factor) -> Factor {
  return fma(Factor(v.w), w3, fma(Factor(v.z), w2, fma(Factor(v.y), w1, fma(Factor(v.x), w0, sum))));
}

// The sums of four columns, by the columns' scales where weights have some.
@if(!int8) fn scaled(n4: u32, sum: vec4<f32>) -> vec4<f32> { return sum; }
@if(int8) fn scaled(n4: u32, sum: vec4<f32>) -> vec4<f32> {
  let first = arrayLength(&weight) - 4u * params.n4 + 4u * n4;
  return sum * (bitcast<vec4<f32>>(vec4<u32>(weight[first], weight[first + 1u], weight[first + 2u], weight[first + 3u])) / 127.0);
}

// Stores four columns of a row's sum. Of several parts, the first takes bias and residual along. Rows and columns past the edge are none.
fn store(z: u32, split: u32, m: u32, n4: u32, sum: vec4<f32>) {
  if (m >= params.m || n4 >= params.n4) { return; }
  let index = row_of(z, params.taps, m) * params.n4 + n4;
  var v = scaled(n4, sum);
  if (split == 0u) { v = finish(index, n4, v); }
  y[split * params.out_rows * params.n4 + index] = v;
}

// Four summed columns, at `index` of y, with bias, activation and residual.
fn finish(index: u32, n4: u32, sum: vec4<f32>) -> vec4<f32> {
  let v = sum + bias[n4];
  var added = vec4<f32>();
  if (n4 < params.residual_columns4) { added = residual[index % (params.residual_rows * params.n4)]; }
  let last = params.activated_last != 0u;
  return activate(params.activation, select(v, v + added, last)) + select(added, vec4<f32>(), last);
}
