// Weights on the GPU: read from the checkpoint piece by piece and packed there by the unpack kernel.
import unpackShader from "../../shaders/unpack.wgsl";
import { SamError } from "../errors.ts";
import { byteLength, elements, type Tensor } from "../graph/tensor.ts";
import type { PackedPart } from "../graph/weight_source.ts";
import type { Gpu } from "./device.ts";
import { layoutOf, pipelineOf } from "./kernel.ts";
import { packParams } from "./params.ts";

/** What the uploader needs of a checkpoint (src/checkpoint/checkpoint.ts has the whole of it). */
export interface WeightReader {
  readonly label: string;
  readonly tensors: ReadonlyMap<string, { readonly dtype: "F32" | "F16" | "BF16" }>;
  /** What `read` gives is held by nobody else. */
  readonly fresh?: boolean;
  read(name: string, begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes read so far, of all that will be. */
  readonly onProgress?: ((loaded: number, total: number) => void) | undefined;
  /** Small tables made on the CPU. */
  readonly readF32: (name: string) => Promise<Float32Array>;
}

/** Elements of a piece: 8 MiB of f32, so that no more than a few pieces of a checkpoint are ever in JS memory. */
const PIECE = 2 * 1024 * 1024;
/** Pieces in flight before the queue is waited for: bounds the staging memory too. */
const PIECES_IN_FLIGHT = 3;
/** Elements a thread of the kernel takes one after another. */
const RUN = 16;
const DTYPE_CODE = { F32: 0, F16: 1, BF16: 2 } as const;
const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** GPU buffers of weights, by tensor label. */
export type WeightBuffers = ReadonlyMap<string, GPUBuffer>;

/** Uploads every weight, in the order of the checkpoint's tensors; throws if any value is not finite, and frees all on failure. */
export async function uploadWeights(gpu: Gpu, weights: readonly Tensor[], checkpoint: WeightReader, options: UploadOptions): Promise<WeightBuffers> {
  const { device } = gpu;
  const buffers = new Map<string, GPUBuffer>();
  const uses = new Map<string, { part: PackedPart; weight: Tensor }[]>();
  for (const weight of weights) {
    if (weight.source?.kind !== "packed") continue;
    for (const part of weight.source.parts) uses.set(part.name, [...(uses.get(part.name) ?? []), { part, weight }]);
  }
  const names = [...checkpoint.tensors.keys()].filter((name) => uses.has(name));
  const size = (name: string) => elements(uses.get(name)?.[0]?.part.shape ?? []);
  const total = names.reduce((sum, name) => sum + size(name) * ELEMENT_BYTES[dtypeOf(checkpoint, name)], 0);
  const staging = Array.from({ length: PIECES_IN_FLIGHT }, () =>
    device.createBuffer({ label: "weights.staging", size: PIECE * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }),
  );
  const flags = device.createBuffer({ label: "weights.flags", size: Math.max(16, names.length * 4), usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  try {
    for (const weight of weights) {
      buffers.set(
        weight.label,
        device.createBuffer({ label: weight.label, size: byteLength(weight), usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }),
      );
      if (weight.source?.kind === "computed") {
        const data = weight.source.compute(await Promise.all(weight.source.parts.map(({ name }) => options.readF32(name))));
        expectFinite(data, weight, checkpoint);
        device.queue.writeBuffer(buffers.get(weight.label) as GPUBuffer, 0, data as Float32Array<ArrayBuffer>);
      }
    }
    const pipeline = await pipelineOf(gpu, { shader: unpackShader, constants: {}, condition: "" });
    let loaded = 0;
    let pieces = 0;
    for (const [index, name] of names.entries()) {
      const dtype = dtypeOf(checkpoint, name);
      for (let begin = 0; begin < size(name); begin += PIECE) {
        options.signal?.throwIfAborted();
        const end = Math.min(size(name), begin + PIECE);
        const bytes = await checkpoint.read(name, begin, end, options.signal);
        const piece = staging[pieces++ % PIECES_IN_FLIGHT] as GPUBuffer;
        const padded = bytes.byteLength % 4 === 0 ? bytes : pad(bytes);
        device.queue.writeBuffer(piece, 0, padded);
        loaded += bytes.byteLength;
        if (checkpoint.fresh) letGo(bytes);
        const encoder = device.createCommandEncoder({ label: name });
        const params: GPUBuffer[] = [];
        for (const { part, weight } of uses.get(name) ?? []) {
          const data = packParams(unpackShader, unpackParams(part, begin, end, DTYPE_CODE[dtype], index));
          const uniform = device.createBuffer({ size: data.byteLength, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
          device.queue.writeBuffer(uniform, 0, data);
          params.push(uniform);
          const bound = [piece, buffers.get(weight.label) as GPUBuffer, flags, uniform];
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          pass.setBindGroup(
            0,
            device.createBindGroup({ layout: layoutOf(gpu, unpackShader), entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })) }),
          );
          pass.dispatchWorkgroups(Math.min(65535, Math.ceil((end - begin) / (64 * RUN))));
          pass.end();
        }
        device.queue.submit([encoder.finish()]);
        for (const uniform of params) uniform.destroy();
        if (pieces % PIECES_IN_FLIGHT === 0) await device.queue.onSubmittedWorkDone();
        options.onProgress?.(loaded, total);
      }
    }
    await expectUnflagged(device, flags, names, checkpoint);
    return buffers;
  } catch (error) {
    for (const buffer of buffers.values()) buffer.destroy();
    throw error;
  } finally {
    for (const buffer of [...staging, flags]) buffer.destroy();
  }
}

/** Frees what the queue has copied. The collector comes by only after a hundred megabytes of pieces. */
function letGo({ buffer }: Uint8Array<ArrayBuffer> & { readonly buffer: { transfer?: (length: number) => ArrayBuffer } }): void {
  buffer.transfer?.(0);
}

function dtypeOf(checkpoint: WeightReader, name: string): keyof typeof DTYPE_CODE {
  return checkpoint.tensors.get(name)?.dtype ?? "F32";
}

function unpackParams({ dims, strides, offset }: PackedPart, begin: number, end: number, dtype: number, flag: number): Record<string, number> {
  const params: Record<string, number> = { count: end - begin, first: begin, dtype, offset, flag };
  // What all dimensions further in have added up to when they start again.
  let travelled = 0;
  for (let d = 5; d >= 0; d--) {
    params[`stride${d}`] = strides[d] as number;
    if (d < 5) params[`step${d}`] = ((strides[d] as number) - travelled) >>> 0;
    if (d > 0) params[`dim${d}`] = dims[d] as number;
    travelled += ((dims[d] as number) - 1) * (strides[d] as number);
  }
  return params;
}

function pad(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  padded.set(bytes);
  return padded;
}

function notFinite(checkpoint: WeightReader, names: readonly string[]): SamError {
  return new SamError({
    code: "checkpoint",
    op: checkpoint.label,
    argument: "weights",
    expected: "finite everywhere",
    got: `NaN or infinity in ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`,
    remedy: "The file is damaged or its training diverged: fetch or export it again.",
  });
}

function expectFinite(data: Float32Array, weight: Tensor, checkpoint: WeightReader): void {
  if (!data.every(Number.isFinite)) throw notFinite(checkpoint, weight.source?.parts.map(({ name }) => name) ?? []);
}

async function expectUnflagged(device: GPUDevice, flags: GPUBuffer, names: readonly string[], checkpoint: WeightReader): Promise<void> {
  const copy = device.createBuffer({ label: "weights.flags.read", size: flags.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(flags, 0, copy, 0, flags.size);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(GPUMapMode.READ);
    const raised = new Uint32Array(copy.getMappedRange());
    const bad = names.filter((_, i) => raised[i]);
    if (bad.length > 0) throw notFinite(checkpoint, bad);
  } finally {
    copy.destroy();
  }
}
