// Sum over a workgroup of 64 threads; every thread gets it. Contains barriers: call from uniform control flow.
var<workgroup> reduce_scratch: array<f32, 64>;

fn workgroup_sum(thread: u32, value: f32) -> f32 {
  reduce_scratch[thread] = value;
  workgroupBarrier();
  for (var width = 32u; width > 0u; width /= 2u) {
    if (thread < width) { reduce_scratch[thread] += reduce_scratch[thread + width]; }
    workgroupBarrier();
  }
  let sum = reduce_scratch[0];
  workgroupBarrier();
  return sum;
}
