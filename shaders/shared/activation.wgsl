// Activations of the network: 0 none, 1 ReLU, 2 exact GELU, 3 sigmoid. The numbers are src/ops/activation.ts's.

// One way out of each function: software adapters compile an early return in inlined code many times slower.
fn activate(code: u32, v: vec4<f32>) -> vec4<f32> {
  var out = v;
  if (code == 1u) {
    // What went beyond f16 stays infinite: as 0 nobody would notice it.
    out = select(v, max(v, vec4<f32>()), v >= vec4<f32>(-3.4e38));
  } else if (code == 2u) {
    out = gelu(v);
  } else if (code == 3u) {
    out = sigmoid(v);
  }
  return out;
}

// exp is kept within f32: beyond, a compiler that assumes there is no infinity may give anything.
fn sigmoid(v: vec4<f32>) -> vec4<f32> {
  return 1.0 / (1.0 + exp(min(-v, vec4<f32>(80.0))));
}

// x * Phi(x) with Phi from erf, as nn.GELU() computes it.
fn gelu(v: vec4<f32>) -> vec4<f32> {
  return 0.5 * v * (1.0 + erf(v * 0.7071067811865476));
}

// Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
fn erf(v: vec4<f32>) -> vec4<f32> {
  // From 9 on it is 1, and squares stay within f32.
  let a = min(abs(v), vec4<f32>(9.0));
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(v) * (1.0 - poly * exp(-a * a));
}
