// What the lanes of a subgroup hold for each other, for software adapters: there a load is a loop over the lanes, in which all of them load something else.
// Whoever imports this enables subgroups.

// What lanes 0 to 3 hold, a column each: of a product, four columns of weights for four channels.
fn first_four(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}

// What lanes 4 to 7 hold.
fn last_four(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u));
}

// Vector i of four. With it a loop stores all four by one store in the text: SwiftShader compiles each to an If for every lane and component.
fn one_of(v: mat4x4<f32>, i: u32) -> vec4<f32> {
  return select(select(v[0], v[1], i == 1u), select(v[2], v[3], i == 3u), i > 1u);
}
