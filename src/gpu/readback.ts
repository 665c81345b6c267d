// GPU → CPU: several ranges in one mapped buffer that is kept for the next time.
import { type Gpu, issue } from "./device.ts";

export interface ReadRange {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

export class Readback {
  #staging: GPUBuffer | undefined;
  #offset = 0;

  constructor(readonly gpu: Gpu) {}

  get bytes(): number {
    return this.#staging?.size ?? 0;
  }

  /** Makes room for `bytes` and starts again at the front. */
  begin(bytes: number): void {
    this.#offset = 0;
    if (this.#staging && this.#staging.size >= bytes) return;
    this.#staging?.destroy();
    this.#staging = this.gpu.device.createBuffer({
      label: "readback",
      size: Math.ceil(bytes / 256) * 256,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Encodes copies of whole tensors, one behind the other. */
  copy(encoder: GPUCommandEncoder, ranges: readonly ReadRange[]): void {
    for (const { buffer, bytes } of ranges) {
      encoder.copyBufferToBuffer(buffer, 0, this.#staging as GPUBuffer, this.#offset, bytes);
      this.#offset += bytes;
    }
  }

  /** Everything copied since `begin`, once the GPU is done. */
  async read(): Promise<ArrayBuffer> {
    const staging = this.#staging as GPUBuffer;
    await issue(this.gpu, () => staging.mapAsync(GPUMapMode.READ, 0, this.#offset));
    try {
      return staging.getMappedRange(0, this.#offset).slice(0);
    } finally {
      staging.unmap();
    }
  }

  dispose(): void {
    this.#staging?.destroy();
    this.#staging = undefined;
  }
}
