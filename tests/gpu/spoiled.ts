// Faults for tests.

/** From now on, submit number `which` also copies beyond the end of a buffer, in the same scope as the run. */
export function spoilSubmit(device: GPUDevice, which: number): () => void {
  const { submit } = device.queue;
  let submits = 0;
  device.queue.submit = (buffers) => {
    if (submits++ !== which) return submit.call(device.queue, buffers);
    const tiny = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(tiny, 0, tiny, 0, 64);
    submit.call(device.queue, [...buffers, encoder.finish()]);
    tiny.destroy();
  };
  return () => {
    device.queue.submit = submit;
  };
}
