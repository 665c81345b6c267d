// y[k] = hyper[k] . gelu(convT(gelu(LN(convT(image))))): mask logits, of image tokens upscaled twice by 2x2 transposed convolutions of stride 2,
// so that each token makes its own 4x4 pixels: 2x2 cells, and 2x2 pixels of each cell.
// A workgroup computes eight image tokens of one prompt, all masks.
// A thread computes one channel of a cell, then one of a pixel for two cells each, then logits of four tokens.
import package::shared::loops::MOST_ROUNDS;
import package::shared::rows::{scalar, rows, row_sums, with_row, put, product};
import package::shared::activation::gelu;

struct Params {
  grid: u32,
  // Channels of a token; a cell has a quarter, a pixel an eighth.
  width: u32,
  masks: u32,
  hyper_rows: u32,
  eps: f32,
}

// [B * T, width]
@group(0) @binding(1) var<storage, read> image: array<f32>;
// [B * hyper rows, width / 8], the first rows of each prompt used
@group(0) @binding(2) var<storage, read> hyper: array<f32>;
// [B, masks, 4g, 4g]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// Of four masks, up to 32 each.
var<workgroup> factors: array<f32, 128>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let p = params;
  let tokens = p.grid * p.grid;
  let begin = group.x * 8u;
  let column = min(thread, p.width - 1u);
  var eight: mat2x4<f32>;
  for (var i = 0u; i < 8u; i++) { eight = with_row(eight, i, image[(group.y * tokens + min(begin + i, tokens - 1u)) * p.width + column]); }
  put(thread, eight);
  load_factors(thread, group.y, 0u);
  let quarter = p.width / 4u;
  let half = p.width / 2u;
  product(thread, 0u, p.width, 0u, p.width, p.width);
  normalise_cells(thread, column, (p.width + 1u) * p.width);

  // Cells 0 and 1 for the first half of the threads, 2 and 3 for the second.
  let pixel_column = column % half;
  let first = column / half * half;
  let matrix = (p.width + 1u) * p.width + half;
  let bias = vec4<f32>(scalar(matrix + quarter * half + pixel_column % (p.width / 8u)));
  var low0 = bias; var high0 = bias; var low1 = bias; var high1 = bias;
  workgroupBarrier();
  // Eight weights on their way at once; the width is a multiple of 64.
  for (var block = 0u; block < MOST_ROUNDS; block++) {
    if (8u * block >= quarter) { break; }
    for (var i = 0u; i < 8u; i++) {
      let w = vec4<f32>(scalar(matrix + (8u * block + i) * half + pixel_column));
      let k = first + 8u * block + i;
      low0 = fma(rows[k], w, low0);
      high0 = fma(rows[256u + k], w, high0);
      low1 = fma(rows[quarter + k], w, low1);
      high1 = fma(rows[256u + quarter + k], w, high1);
    }
  }
  for (var side = 0u; side < 2u; side++) {
    workgroupBarrier();
    if (thread < p.width) {
      rows[2u * first + pixel_column] = gelu(select(low0, low1, side == 1u));
      rows[2u * first + half + pixel_column] = gelu(select(high0, high1, side == 1u));
    }
    workgroupBarrier();
    logits(thread, group.y, begin, side);
  }
}

// LayerNorm and GELU over the channels of each cell, by an eighth of its channels in each of 64 threads, for half of the tokens.
fn normalise_cells(thread: u32, column: u32, vectors: u32) {
  let quarter = params.width / 4u;
  let cell = column / quarter;
  let count = f32(quarter);
  var low = rows[thread];
  var high = rows[256u + thread];
  for (var squares = 0u; squares < 2u; squares++) {
    rows[thread] = select(low, low * low, squares == 1u);
    rows[256u + thread] = select(high, high * high, squares == 1u);
    workgroupBarrier();
    if (thread < 64u) {
      let at = thread / 32u * 256u + thread % 32u / 8u * quarter + thread % 8u;
      var eighth = vec4<f32>();
      for (var i = 0u; i < MOST_ROUNDS; i++) {
        if (8u * i >= quarter) { break; }
        eighth += rows[at + 8u * i];
      }
      row_sums[thread] = eighth;
    }
    workgroupBarrier();
    var sum = vec4<f32>();
    for (var i = 0u; i < 8u; i++) { sum += row_sums[thread % 8u * 8u + i]; }
    workgroupBarrier();
    if (thread < 8u) { row_sums[thread] = sum; }
    workgroupBarrier();
    let mean_low = row_sums[cell] / count;
    let mean_high = row_sums[4u + cell] / count;
    if (squares == 0u) {
      low -= mean_low; high -= mean_high;
    } else {
      low /= sqrt(mean_low + params.eps); high /= sqrt(mean_high + params.eps);
    }
  }
  let scale = scalar(vectors + column % quarter);
  let bias = scalar(vectors + quarter + column % quarter);
  rows[thread] = gelu(low * scale + bias);
  rows[256u + thread] = gelu(high * scale + bias);
}

// Of the cells `side` and 2 + side, whose pixels' channels are in `rows`: for half of the tokens each, first the low one.
fn logits(thread: u32, batch: u32, begin: u32, side: u32) {
  let p = params;
  let g = p.grid;
  let half = p.width / 2u;
  let eighth = p.width / 8u;
  // A round is of four masks. The factors of as many were loaded at the start.
  for (var round = 0u; round < MOST_ROUNDS; round++) {
    if (4u * round >= p.masks) { break; }
    if (p.masks > 4u) {
      workgroupBarrier();
      load_factors(thread, batch, 4u * round);
      workgroupBarrier();
    }
    let mask = 4u * round + thread / 64u;
    let pixel = thread / 16u % 4u;
    let token = begin + thread % 8u;
    let own = thread / 4u % 4u * half + pixel * eighth;
    var sum = 0.0;
    for (var c = 0u; c < MOST_ROUNDS; c++) {
      if (c >= eighth) { break; }
      sum = fma(rows[own + c][thread % 4u], factors[thread / 64u * 32u + c], sum);
    }
    if (token < g * g && mask < p.masks) {
      let at = 4u * vec2<u32>(token % g, token / g) + vec2<u32>(2u * side + pixel % 2u, thread / 8u % 2u * 2u + pixel / 2u);
      y[((batch * p.masks + mask) * 4u * g + at.y) * 4u * g + at.x] = sum;
    }
  }
}

// Of four masks from `first` on.
fn load_factors(thread: u32, batch: u32, first: u32) {
  let eighth = params.width / 8u;
  let mask = min(first + thread / 32u, params.masks - 1u);
  if (thread < 128u) { factors[thread] = hyper[(batch * params.hyper_rows + mask) * eighth + min(thread % 32u, eighth - 1u)]; }
}
