// Sizes of a token projection (src/ops/token_projection.ts), common to its variants.
struct Params {
  // To be computed.
  rows: u32,
  width: u32,
  columns: u32,
  // Columns that see x + positions.
  positional: u32,
  // 0: x comes from the prompts.
  splits: u32,
  residual_row: u32,
  positions_row: u32,
  eps: f32,
  // Rows of a prompt; those of them that are output tokens, which come first; those copied from the residual instead of computed: all output
  // tokens or none. 1 / side of the model's image.
  tokens: u32,
  output_tokens: u32,
  copied: u32,
  inverse_size: f32,
}
