// Weights on the GPU: read from the checkpoint piece by piece and packed there by the unpack kernel.
import unpackShader from "../../shaders/unpack.wgsl";
import { SamError } from "../errors.ts";
import { byteLength, type DType, elements, type Tensor } from "../graph/tensor.ts";
import type { DerivedSource, PackedPart } from "../graph/weight_source.ts";
import { type Gpu, issue } from "./device.ts";
import { Executor } from "./executor.ts";
import { layoutOf, pipelineOf } from "./kernel.ts";
import { packParams } from "./params.ts";
import { ActivationPool } from "./pool.ts";
import { Readback } from "./readback.ts";

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

/** Uploads every weight, in the order of the checkpoint's tensors, then makes those derived from others; throws if any value is not finite, and frees all on failure. */
export async function uploadWeights(gpu: Gpu, weights: readonly Tensor[], checkpoint: WeightReader, options: UploadOptions): Promise<WeightBuffers> {
  const { device } = gpu;
  const buffers = new Map<string, GPUBuffer>();
  const uses = new Map<string, { part: PackedPart; weight: Tensor }[]>();
  for (const weight of weights) {
    if (weight.source?.kind !== "packed") continue;
    for (const part of weight.source.parts) uses.set(part.name, [...(uses.get(part.name) ?? []), { part, weight }]);
  }
  const names = [...checkpoint.tensors.keys()].filter((name) => uses.has(name));
  // What is computed on the CPU is read on the way, too: a server without range requests gives a file from front to back.
  const computed = weights.flatMap((weight) => (weight.source?.kind === "computed" ? [{ weight, source: weight.source }] : []));
  const tables = new Map<string, Float32Array | undefined>(computed.flatMap(({ source }) => source.parts.map(({ name }) => [name, undefined])));
  const size = (name: string) => elements(uses.get(name)?.[0]?.part.shape ?? []);
  const total = names.reduce((sum, name) => sum + size(name) * ELEMENT_BYTES[dtypeOf(checkpoint, name)], 0);
  const unpacker = await Unpacker.create(gpu, weights);
  // Columns of int8 are measured over the whole tensor before it is stored: its pieces are all kept until then.
  const wait = names.filter((name) => uses.get(name)?.some(({ weight }) => weight.dtype === "int8"));
  const kept = Math.max(PIECES_IN_FLIGHT, ...wait.map((name) => Math.ceil(size(name) / PIECE)));
  const bufferOf = (label: string, size: number) =>
    device.createBuffer({ label, size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const [staging, flags] = issue(gpu, () => {
    for (const weight of weights) buffers.set(weight.label, bufferOf(weight.label, byteLength(weight)));
    const staging = Array.from({ length: kept }, () => bufferOf("weights.staging", PIECE * 4));
    return [staging, bufferOf("weights.flags", Math.max(16, names.length * 4))] as const;
  });
  try {
    let loaded = 0;
    let pieces = 0;
    for (const name of checkpoint.tensors.keys()) {
      if (tables.has(name)) tables.set(name, await options.readF32(name));
      const flag = names.indexOf(name);
      if (flag < 0) continue;
      const dtype = dtypeOf(checkpoint, name);
      const own = (uses.get(name) ?? []).map((use) => ({ ...use, y: buffers.get(use.weight.label) as GPUBuffer }));
      const measured = own.filter(({ weight }) => weight.dtype === "int8");
      const waiting: Piece[] = [];
      if (measured.length > 0) pieces = 0;
      for (let begin = 0; begin < size(name); begin += PIECE) {
        options.signal?.throwIfAborted();
        const end = Math.min(size(name), begin + PIECE);
        const bytes = await checkpoint.read(name, begin, end, options.signal);
        const piece: Piece = { x: staging[pieces++ % kept] as GPUBuffer, flags, flag, begin, end, dtype };
        loaded += bytes.byteLength;
        issue(gpu, () => {
          device.queue.writeBuffer(piece.x, 0, bytes.byteLength % 4 === 0 ? bytes : pad(bytes));
          unpacker.submit(own.map((use) => ({ ...use, piece, measures: use.weight.dtype === "int8" })));
        });
        if (checkpoint.fresh) letGo(bytes);
        if (measured.length > 0) waiting.push(piece);
        if (pieces % PIECES_IN_FLIGHT === 0) await device.queue.onSubmittedWorkDone();
        options.onProgress?.(loaded, total);
      }
      if (waiting.length > 0) issue(gpu, () => unpacker.submit(waiting.flatMap((piece) => measured.map((use) => ({ ...use, piece, measures: false })))));
    }
    for (const { weight, source } of computed) {
      const data = source.compute(source.parts.map(({ name }) => tables.get(name) as Float32Array));
      expectFinite(data, weight, checkpoint);
      issue(gpu, () => device.queue.writeBuffer(buffers.get(weight.label) as GPUBuffer, 0, data as Float32Array<ArrayBuffer>));
    }
    await expectUnflagged(gpu, flags, names, checkpoint);
    for (const weight of weights) if (weight.source?.kind === "derived") await derive(gpu, weight, weight.source, buffers);
    return buffers;
  } catch (error) {
    for (const buffer of buffers.values()) buffer.destroy();
    throw error;
  } finally {
    for (const buffer of [...staging, flags]) buffer.destroy();
  }
}

/** Runs the graph that makes a weight of others. */
async function derive(gpu: Gpu, weight: Tensor, { graph, output }: DerivedSource, buffers: ReadonlyMap<string, GPUBuffer>): Promise<void> {
  const pool = new ActivationPool(gpu);
  const executor = await Executor.create(gpu, graph, pool, buffers);
  const to = buffers.get(weight.label) as GPUBuffer;
  try {
    await executor.run({ after: (encoder) => encoder.copyBufferToBuffer(executor.buffer(output), 0, to, 0, byteLength(weight)) });
  } finally {
    executor.dispose();
    pool.dispose();
  }
}

/** Elements [begin, end) of a checkpoint tensor on the device. */
interface Piece {
  readonly x: GPUBuffer;
  readonly begin: number;
  readonly end: number;
  readonly dtype: keyof typeof DTYPE_CODE;
  readonly flags: GPUBuffer;
  /** Its tensor's place among the flags. */
  readonly flag: number;
}

interface Unpacking {
  readonly piece: Piece;
  readonly part: PackedPart;
  readonly weight: Tensor;
  /** The weight's buffer. */
  readonly y: GPUBuffer;
  /** Finds the scales of an int8 weight instead of storing it. */
  readonly measures: boolean;
}

/** The unpack kernel, for every type that weights are stored in. */
class Unpacker {
  private constructor(
    readonly gpu: Gpu,
    readonly pipelines: ReadonlyMap<DType, GPUComputePipeline>,
  ) {}

  static async create(gpu: Gpu, weights: readonly Tensor[]): Promise<Unpacker> {
    const dtypes = [...new Set(weights.map(({ dtype }) => dtype))];
    const pipelines = dtypes.map((dtype) => pipelineOf(gpu, { shader: unpackShader, constants: {}, condition: dtype === "f32" ? "" : dtype }));
    const compiled = await Promise.all(pipelines);
    return new Unpacker(gpu, new Map(dtypes.map((dtype, i) => [dtype, compiled[i] as GPUComputePipeline])));
  }

  submit(unpackings: readonly Unpacking[]): void {
    const { device } = this.gpu;
    const encoder = device.createCommandEncoder({ label: "unpack" });
    const uniforms = unpackings.map(({ piece, part, weight, y, measures }) => {
      const { x, flags, begin, end } = piece;
      const data = packParams(unpackShader, unpackParams(part, piece, weight, measures));
      const uniform = device.createBuffer({ size: data.byteLength, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(uniform, 0, data);
      const entries = [x, y, flags, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }));
      const pass = encoder.beginComputePass({ label: part.name });
      pass.setPipeline(this.pipelines.get(weight.dtype) as GPUComputePipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: layoutOf(this.gpu, unpackShader), entries }));
      pass.dispatchWorkgroups(Math.min(65535, Math.ceil((end - begin) / (64 * RUN))));
      pass.end();
      return uniform;
    });
    device.queue.submit([encoder.finish()]);
    for (const uniform of uniforms) uniform.destroy();
  }
}

/** Frees what the queue has copied. The collector comes by only after a hundred megabytes of pieces. */
function letGo({ buffer }: Uint8Array<ArrayBuffer> & { readonly buffer: { transfer?: (length: number) => ArrayBuffer } }): void {
  buffer.transfer?.(0);
}

function dtypeOf(checkpoint: WeightReader, name: string): keyof typeof DTYPE_CODE {
  return checkpoint.tensors.get(name)?.dtype ?? "F32";
}

function unpackParams({ dims, strides, offset }: PackedPart, { begin, end, dtype, flag }: Piece, weight: Tensor, measures: boolean): Record<string, number> {
  const params: Record<string, number> = { count: end - begin, first: begin, dtype: DTYPE_CODE[dtype], offset, flag };
  Object.assign(params, { columns: weight.shape.at(-1), first_scale: elements(weight.shape) / 4, measures: measures ? 1 : 0 });
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

function unusable(checkpoint: WeightReader, expected: string, what: string, names: readonly string[], remedy: string): SamError {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  const got = `${what} in ${names.slice(0, 5).join(", ")}${more}`;
  return new SamError({ code: "checkpoint", op: checkpoint.label, argument: "weights", expected, got, remedy });
}

function notFinite(checkpoint: WeightReader, names: readonly string[]): SamError {
  return unusable(checkpoint, "finite everywhere", "NaN or infinity", names, "The file is damaged or its training diverged: fetch or export it again.");
}

function expectFinite(data: Float32Array, weight: Tensor, checkpoint: WeightReader): void {
  if (!data.every(Number.isFinite)) throw notFinite(checkpoint, weight.source?.parts.map(({ name }) => name) ?? []);
}

async function expectUnflagged(gpu: Gpu, flags: GPUBuffer, names: readonly string[], checkpoint: WeightReader): Promise<void> {
  const { device } = gpu;
  const readback = new Readback(gpu);
  try {
    issue(gpu, () => {
      const encoder = device.createCommandEncoder();
      readback.begin(flags.size);
      readback.copy(encoder, [{ buffer: flags, bytes: flags.size }]);
      device.queue.submit([encoder.finish()]);
    });
    const raised = new Uint32Array(await readback.read());
    const raisedAs = (code: number) => names.filter((_, i) => raised[i] === code);
    if (raisedAs(1).length > 0) throw notFinite(checkpoint, raisedAs(1));
    if (raisedAs(2).length > 0) throw unusable(checkpoint, "below 65520, to be stored as f16", "larger values", raisedAs(2), 'Load them with precision "f32".');
  } finally {
    readback.dispose();
  }
}
