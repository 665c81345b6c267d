// y = conv( gelu( conv( (pixel - offset) / divisor ) ) ), both kernel x kernel with bias, of stride 2 and padding 1 (kernel 3) or neither (kernel 1).
// A workgroup computes tile x tile tokens; what the first convolution sees of the image, normalised once, and the second of the first stay in workgroup memory.
// A thread computes four channels of the first for three cells in a row, then of the second for a row of up to four tokens, which share the weights.
import package::shared::loops::MOST_ROUNDS;
import package::shared::activation::gelu;

// Of what a tile sees of the image, in pixels, and of the first convolution, in vectors of four.
const SEEN_SIZE: u32 = 361u;
const INNER_SIZE: u32 = 648u;

struct Params {
  // Of the square of pixels, of the first convolution, and of tokens.
  size: u32,
  inner_side: u32,
  side: u32,
  columns4: u32,
  // No constants: a software adapter unrolls what it knows the length of, and compiles it for a minute.
  kernel: u32,
  stride: u32,
  tile: u32,
  // Sides of what a tile sees of the image and of the first convolution; the latter's channels in fours.
  seen: u32,
  inner: u32,
  hidden4: u32,
}

// [S, S]: channel 0 | 1 << 8 | 2 << 16 | 255 << 24 inside the image
@group(0) @binding(0) var<storage, read> pixels: array<u32>;
// [2, 4]: offsets, divisors
@group(0) @binding(1) var<storage, read> colours: array<f32>;
// [kernel * kernel * 3 + 1, hidden4]: cells and channels, bias
@group(0) @binding(2) var<storage, read> first: array<vec4<f32>>;
// [kernel * kernel * 4 * hidden4 + 1, C/4]
@group(0) @binding(3) var<storage, read> second: array<vec4<f32>>;
// [side * side, C/4]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> seen: array<vec3<f32>, SEEN_SIZE>;
var<workgroup> inner: array<vec4<f32>, INNER_SIZE>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let p = params;
  let padding = p.kernel / 2u;
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    let i = 64u * round + thread;
    if (i >= p.seen * p.seen) { break; }
    // Shifted by the padding of both convolutions, so that nothing is below 0.
    seen[i] = pixel_at(group.xy * p.tile * p.stride * p.stride + vec2<u32>(i % p.seen, i / p.seen), padding * (p.stride + 1u));
  }
  workgroupBarrier();
  let rows = (p.inner + 2u) / 3u;
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    let i = 64u * round + thread;
    if (i >= p.inner * rows * p.hidden4) { break; }
    let h = i % p.hidden4;
    let column = i / p.hidden4 % rows * 3u;
    let row = i / p.hidden4 / rows;
    // Cells of a row past the tile's side repeat the last one.
    let apart = p.stride * min(vec2<u32>(1u, 2u), vec2<u32>(p.inner - 1u - column));
    let bias = first[p.kernel * p.kernel * 3u * p.hidden4 + h];
    var s0 = bias; var s1 = bias; var s2 = bias;
    for (var tap = 0u; tap < MOST_ROUNDS; tap++) {
      if (tap >= p.kernel * p.kernel) { break; }
      let cell = (row * p.stride + tap / p.kernel) * p.seen + column * p.stride + tap % p.kernel;
      let w = tap * 3u * p.hidden4 + h;
      let weights = mat3x4<f32>(first[w], first[w + p.hidden4], first[w + 2u * p.hidden4]);
      s0 += weights * seen[cell];
      s1 += weights * seen[cell + apart.x];
      s2 += weights * seen[cell + apart.y];
    }
    for (var j = 0u; j < 3u; j++) {
      if (column + j < p.inner) {
        // Shifted by the padding, as above. What lies outside is padding of the second convolution.
        let at = group.xy * p.tile * p.stride + vec2<u32>(column + j, row);
        let inside = all(at >= vec2<u32>(padding)) && all(at < vec2<u32>(p.inner_side + padding));
        inner[(row * p.inner + column + j) * p.hidden4 + h] = select(vec4<f32>(), gelu(select(select(s1, s2, j == 2u), s0, j == 0u)), inside);
      }
    }
  }
  workgroupBarrier();
  // Tokens of a row past the tile's side repeat the last one.
  let apart = p.stride * p.hidden4 * min(vec3<u32>(1u, 2u, 3u), vec3<u32>(p.tile - 1u));
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    let i = 64u * round + thread;
    if (i >= p.tile * p.columns4) { break; }
    let n4 = i % p.columns4;
    let row = i / p.columns4;
    let bias = second[p.kernel * p.kernel * 4u * p.hidden4 * p.columns4 + n4];
    var s0 = bias; var s1 = bias; var s2 = bias; var s3 = bias;
    for (var tap = 0u; tap < MOST_ROUNDS; tap++) {
      if (tap >= p.kernel * p.kernel) { break; }
      let cell = ((row * p.stride + tap / p.kernel) * p.inner + tap % p.kernel) * p.hidden4;
      for (var h = 0u; h < MOST_ROUNDS; h++) {
        if (h >= p.hidden4) { break; }
        let w = (tap * p.hidden4 + h) * 4u * p.columns4 + n4;
        let weights = mat4x4<f32>(second[w], second[w + p.columns4], second[w + 2u * p.columns4], second[w + 3u * p.columns4]);
        s0 += weights * inner[cell + h];
        s1 += weights * inner[cell + h + apart.x];
        s2 += weights * inner[cell + h + apart.y];
        s3 += weights * inner[cell + h + apart.z];
      }
    }
    let token = group.xy * p.tile + vec2<u32>(0u, row);
    for (var j = 0u; j < 4u; j++) {
      if (j < p.tile && token.x + j < p.side && token.y < p.side) {
        y[(token.y * p.side + token.x + j) * p.columns4 + n4] = select(select(s2, s3, j == 3u), select(s0, s1, j == 1u), j < 2u);
      }
    }
  }
}

// The normalised pixel at a place shifted by `shift`; 0 outside the image, since padding is of the normalised one.
fn pixel_at(at: vec2<u32>, shift: u32) -> vec3<f32> {
  let p = params;
  if (any(at < vec2<u32>(shift)) || any(at >= vec2<u32>(p.size + shift))) { return vec3<f32>(); }
  let pixel = pixels[(at.y - shift) * p.size + at.x - shift];
  if (pixel >> 24u == 0u) { return vec3<f32>(); }
  let value = vec3<f32>(vec3<u32>(pixel, pixel >> 8u, pixel >> 16u) & vec3<u32>(255u));
  return (value - vec3<f32>(colours[0], colours[1], colours[2])) / vec3<f32>(colours[4], colours[5], colours[6]);
}
