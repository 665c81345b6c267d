// y[offset + i.strides] = x[i], from f32, f16 or bf16 bytes to f32, f16 or int8, for a piece of a checkpoint tensor seen as six dimensions.
// A workgroup computes 64 runs of RUN consecutive source elements, and again as many one grid further.
// A thread computes one run: it divides once to find its start and only steps from there. It raises `flag` if a value can't be stored.

const F32: u32 = 0u;
const F16: u32 = 1u;
const BF16: u32 = 2u;
const RUN: u32 = 16u;

struct Params {
  count: u32,
  // Index of x[0] in the whole tensor.
  first: u32,
  dtype: u32,
  offset: u32,
  dim1: u32, dim2: u32, dim3: u32, dim4: u32, dim5: u32,
  stride0: u32, stride1: u32, stride2: u32, stride3: u32, stride4: u32, stride5: u32,
  // From the last element of dimension d + 1 to the first of the next index of dimension d; may be negative, modulo 2^32.
  step0: u32, step1: u32, step2: u32, step3: u32, step4: u32,
  flag: u32,
  // Of int8, whose scales are symmetric and one a column: the columns, the word of the first scale, and whether this pass
  // finds the largest magnitude of each column (which stands for its scale, times 127) or stores by it.
  columns: u32,
  first_scale: u32,
  measures: u32,
}

// Narrow elements share a word, which several threads write.
@if(!f16 && !int8) alias Word = u32;
@if(f16 || int8) alias Word = atomic<u32>;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<Word>;
// one word a tensor: 0 while all its values can be stored, 1 where one is not finite, 2 where one is beyond f16
@group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  var flag = 0u;
  // Copied once: a software adapter reads a uniform anew, lane by lane, wherever it is named.
  let p = params;
  for (var first = global.x * RUN; first < p.count; first += groups.x * 64u * RUN) {
    let element = p.first + first;
    var i5 = element % p.dim5;
    var rest = element / p.dim5;
    var i4 = rest % p.dim4;
    rest /= p.dim4;
    var i3 = rest % p.dim3;
    rest /= p.dim3;
    var i2 = rest % p.dim2;
    rest /= p.dim2;
    var i1 = rest % p.dim1;
    var to = p.offset + i5 * p.stride5 + i4 * p.stride4 + i3 * p.stride3 + i2 * p.stride2 + i1 * p.stride1 + rest / p.dim1 * p.stride0;
    for (var i = first; i < min(first + RUN, p.count); i++) {
      let bits = load(p.dtype, i);
      // All exponent bits set: infinity or NaN. Compared as bits because a compiler may assume there are none.
      flag = max(flag, select(beyond(bits), 1u, (bits & 0x7f800000u) == 0x7f800000u));
      store(to, bits);
      i5++;
      let end5 = i5 == p.dim5;
      i5 = select(i5, 0u, end5);
      i4 += u32(end5);
      let end4 = i4 == p.dim4;
      i4 = select(i4, 0u, end4);
      i3 += u32(end4);
      let end3 = i3 == p.dim3;
      i3 = select(i3, 0u, end3);
      i2 += u32(end3);
      let end2 = i2 == p.dim2;
      i2 = select(i2, 0u, end2);
      i1 += u32(end2);
      let end1 = i1 == p.dim1;
      i1 = select(i1, 0u, end1);
      to += select(select(select(select(select(p.stride5, p.step4, end5), p.step3, end4), p.step2, end3), p.step1, end2), p.step0, end1);
    }
  }
  if (flag > 0u) { atomicMax(&flags[p.flag], flag); }
}

@if(!f16) fn beyond(bits: u32) -> u32 { return 0u; }
// 65520 and more would round to infinity.
@if(f16) fn beyond(bits: u32) -> u32 { return select(0u, 2u, (bits & 0x7fffffffu) >= 0x477ff000u); }

@if(!f16 && !int8) fn store(to: u32, bits: u32) { y[to] = bits; }
@if(f16) fn store(to: u32, bits: u32) {
  atomicOr(&y[to / 2u], (pack2x16float(vec2<f32>(bitcast<f32>(bits), 0.0)) & 0xffffu) << (16u * (to % 2u)));
}
@if(int8) fn store(to: u32, bits: u32) {
  let scale = params.first_scale + to % params.columns;
  if (params.measures != 0u) {
    // Magnitudes are ordered as their bits are.
    atomicMax(&y[scale], bits & 0x7fffffffu);
  } else {
    let largest = bitcast<f32>(atomicLoad(&y[scale]));
    let q = i32(round(bitcast<f32>(bits) / select(largest / 127.0, 1.0, largest == 0.0)));
    atomicOr(&y[to / 4u], (bitcast<u32>(q) & 0xffu) << (8u * (to % 4u)));
  }
}

fn load(dtype: u32, i: u32) -> u32 {
  if (dtype == F32) { return x[i]; }
  let half = (x[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
  if (dtype == BF16) { return half << 16u; }
  if ((half & 0x7c00u) == 0x7c00u) { return 0x7f800000u; }
  // Scaled by hand: a device may flush the subnormal halves that unpack2x16float would give.
  let exponent = (half >> 10u) & 31u;
  let mantissa = f32(half & 0x3ffu);
  let magnitude = select(ldexp(1024.0 + mantissa, i32(exponent) - 25), ldexp(mantissa, -24), exponent == 0u);
  return bitcast<u32>(magnitude) | ((half & 0x8000u) << 16u);
}
