// Activation memory shared by all graphs of a model: they never run at the same time, so slot i of each may be one buffer.
import type { Gpu } from "./device.ts";

export class ActivationPool {
  #buffers: GPUBuffer[] = [];
  /** Goes up when a buffer was replaced: bind groups made before are stale. */
  generation = 0;

  constructor(readonly gpu: Gpu) {}

  /** Makes slot i hold at least `slots[i]` bytes. */
  reserve(slots: readonly number[]): void {
    slots.forEach((bytes, slot) => {
      const held = this.#buffers[slot];
      if (held && held.size >= bytes) return;
      held?.destroy();
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      this.#buffers[slot] = this.gpu.device.createBuffer({ label: `activations.${slot}`, size: bytes, usage });
      this.generation++;
    });
  }

  buffer(slot: number): GPUBuffer {
    return this.#buffers[slot] as GPUBuffer;
  }

  get buffers(): readonly GPUBuffer[] {
    return this.#buffers;
  }

  get bytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
    this.generation++;
  }
}
