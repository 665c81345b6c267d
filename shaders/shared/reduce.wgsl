// Sum over a workgroup of 64 threads, always in the same order; every thread gets it. Contains two barriers: call from uniform control flow.
var<workgroup> reduce_values: array<f32, 64>;
var<workgroup> reduce_parts: array<f32, 8>;

fn workgroup_sum(thread: u32, value: f32) -> f32 {
  reduce_values[thread] = value;
  workgroupBarrier();
  if (thread < 8u) {
    var part = 0.0;
    for (var i = 0u; i < 8u; i++) { part += reduce_values[8u * i + thread]; }
    reduce_parts[thread] = part;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < 8u; i++) { sum += reduce_parts[i]; }
  return sum;
}
