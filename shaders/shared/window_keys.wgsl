// Where the keys of a window lie, for software adapters, which divide integers lane by lane.

// Column and row of a key in a window of `keys` columns and rows; of the last one where there is none any more. In floats, exact below 2^14 keys.
fn place_of(keys: vec2<u32>, key: u32) -> vec2<u32> {
  let own = min(key, keys.x * keys.y - 1u);
  let row = u32((f32(own) + 0.5) / f32(keys.x));
  return vec2<u32>(own - row * keys.x, row);
}
