// Watches the buffers of a device: how many live, how many bytes, by label.

export interface BufferWatch {
  /** Buffers made since the watch began and not destroyed. */
  readonly live: ReadonlySet<GPUBuffer>;
  readonly bytes: number;
  /** Made so far. */
  readonly made: number;
  labels(): string[];
  stop(): void;
}

export function watchBuffers(device: GPUDevice): BufferWatch {
  const live = new Set<GPUBuffer>();
  let made = 0;
  const createBuffer = device.createBuffer;
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    const destroy = buffer.destroy;
    live.add(buffer);
    made++;
    buffer.destroy = () => {
      live.delete(buffer);
      return destroy.call(buffer);
    };
    return buffer;
  };
  return {
    live,
    get bytes() {
      return [...live].reduce((sum, { size }) => sum + size, 0);
    },
    get made() {
      return made;
    },
    labels: () => [...live].map(({ label }) => label).sort(),
    stop: () => {
      device.createBuffer = createBuffer;
    },
  };
}
