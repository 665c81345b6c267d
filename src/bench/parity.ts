// Whether what is about to be timed is right: each distinct kernel against its CPU twin, on the values it reads in the graph.
import type { Executor } from "../gpu/executor.ts";
import type { Dispatch } from "../graph/graph.ts";
import { byteLength, elements, type Tensor } from "../graph/tensor.ts";
import { packOnCpu } from "../graph/weight_source.ts";
import type { Twin, TwinData } from "../ops/twin.ts";

/** Above this a naive loop takes seconds; products are checked on some of their columns instead. */
const MOST_TWIN_FLOP = 4e8;
/** Columns of a product that are checked, in blocks of 4: the first, one in the middle, the last. */
const BLOCK = 4;

const MODULES = import.meta.glob<Readonly<Record<string, unknown>>>("../ops/*.ts", { eager: true });
/** Kernels whose twin has another name than `twin` in the file of the op's name. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, name: string]>> = {
  matmul: ["matmul_twin", "matmulTwin"],
};

function twinOf(op: string): Twin | undefined {
  const [file, name] = ELSEWHERE[op] ?? [op, "twin"];
  const twin = MODULES[`../ops/${file}.ts`]?.[name];
  return typeof twin === "function" ? (twin as Twin) : undefined;
}

/** Equal for dispatches that differ only in the values they read. */
export function signature({ shader, constants, condition, params, workgroups, reads }: Dispatch): string {
  const shapes = Object.entries(reads).map(([name, { shape }]) => [name, shape]);
  return JSON.stringify([shader.name, constants, condition, params, workgroups, shapes]);
}

/** Largest error over largest value by `signature`; undefined where there is no twin, or none that ends in time. */
export type KernelParity = ReadonlyMap<string, number | undefined>;

export interface ParityOptions {
  /** A checkpoint tensor as f32. */
  readonly readF32: (name: string) => Promise<Float32Array>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The graph's inputs must be in place, as they are after a run. */
export async function checkKernels(executor: Executor, { readF32, signal, onProgress }: ParityOptions): Promise<KernelParity> {
  const { dispatches } = executor.graph;
  const first = new Map<string, number>();
  for (const [index, dispatch] of dispatches.entries()) {
    const key = signature(dispatch);
    if (!first.has(key)) first.set(key, index);
  }
  const result = new Map<string, number | undefined>();
  let ran = 0;
  for (const [key, index] of first) {
    signal?.throwIfAborted();
    const dispatch = dispatches[index] as Dispatch;
    // Everything up to this dispatch and nothing behind it, so that what it read is still there.
    for (; ran <= index; ran++) await runDispatch(executor, ran);
    result.set(key, await checkDispatch(executor, dispatch, readF32));
    onProgress?.(result.size, first.size);
  }
  return result;
}

/** Alone, in a submit of its own, so that a slow device is never busy for long. */
async function runDispatch(executor: Executor, index: number): Promise<void> {
  executor.prepare();
  const { device } = executor.gpu;
  const encoder = device.createCommandEncoder({ label: "parity" });
  const pass = encoder.beginComputePass();
  executor.encodeRange(pass, index, index + 1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
}

async function checkDispatch(executor: Executor, dispatch: Dispatch, readF32: ParityOptions["readF32"]): Promise<number | undefined> {
  const twin = twinOf(dispatch.op);
  const n = productColumns(dispatch);
  if (!twin || (dispatch.flop > MOST_TWIN_FLOP && n === undefined)) return undefined;
  const values = async (tensor: Tensor): Promise<TwinData> => {
    if (tensor.data) return tensor.data;
    if (!tensor.source || tensor.source.kind === "derived") return readTensor(executor, tensor);
    const parts = new Map<string, Float32Array>();
    for (const { name } of tensor.source.parts) parts.set(name, await readF32(name));
    return packOnCpu(tensor.source, tensor.shape, (name) => parts.get(name) as Float32Array, tensor.dtype);
  };
  const reads: Record<string, TwinData> = {};
  for (const [name, tensor] of Object.entries(dispatch.reads)) reads[name] = await values(tensor);
  const blocks = n === undefined ? undefined : [...new Set([0, Math.floor(n / BLOCK / 2), n / BLOCK - 1])];
  const part = blocks && n !== undefined ? someColumns(dispatch, reads, n, blocks) : { dispatch, reads };
  const wanted = twin(part.dispatch, part.reads);
  let worst = 0;
  for (const [name, tensor] of Object.entries(dispatch.writes)) {
    // What a dispatch does without is bound to a sink, of which the twin says nothing.
    if (!wanted[name]) continue;
    const all = await readTensor(executor, tensor);
    const got = blocks && n !== undefined ? columns(all, n, blocks) : all;
    worst = Math.max(
      worst,
      tensor.dtype === "u32" ? bitError(got, wanted[name] as TwinData) : error(got, wanted[name] as TwinData, splitsOf(dispatch, tensor)),
    );
  }
  return worst;
}

async function readTensor(executor: Executor, tensor: Tensor): Promise<TwinData> {
  const { device } = executor.gpu;
  const staging = device.createBuffer({ label: "parity", size: byteLength(tensor), usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    const encoder = device.createCommandEncoder({ label: "parity" });
    encoder.copyBufferToBuffer(executor.buffer(tensor), 0, staging, 0, byteLength(tensor));
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const bytes = staging.getMappedRange().slice(0);
    const length = elements(tensor.shape);
    return tensor.dtype === "u32" ? new Uint32Array(bytes, 0, length) : new Float32Array(bytes, 0, length);
  } finally {
    staging.destroy();
  }
}

/** N of a matrix product whose columns can be checked apart; undefined for any other kernel. */
function productColumns({ params, reads, writes }: Dispatch): number | undefined {
  const { n4, k4 } = params;
  if (n4 === undefined || k4 === undefined) return undefined;
  const n = 4 * n4;
  const fits = reads["weight"]?.shape.at(-1) === n && Object.values(writes).every(({ shape }) => shape.at(-1) === n);
  return fits ? n : undefined;
}

/** Row-major [rows, n] → the columns of the blocks. */
export function columns(data: TwinData, n: number, blocks: readonly number[]): Float32Array {
  const rows = data.length / n;
  const width = blocks.length * BLOCK;
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    blocks.forEach((block, b) => {
      for (let c = 0; c < BLOCK; c++) out[row * width + b * BLOCK + c] = data[row * n + block * BLOCK + c] as number;
    });
  }
  return out;
}

/** The same product with the columns of some blocks alone. */
function someColumns(dispatch: Dispatch, reads: Readonly<Record<string, TwinData>>, n: number, blocks: readonly number[]) {
  const wide = ["weight", "bias", "residual"].filter((name) => dispatch.reads[name]?.shape.at(-1) === n || (name === "bias" && reads[name] !== undefined));
  const narrowed = { ...reads };
  for (const name of wide) {
    const data = reads[name];
    if (data && data.length % n === 0) narrowed[name] = columns(data, n, blocks);
  }
  const { residual_columns4: added } = dispatch.params;
  const params = {
    ...dispatch.params,
    n4: blocks.length,
    ...(added === undefined ? {} : { residual_columns4: blocks.filter((block) => block < added).length }),
  };
  return { dispatch: { ...dispatch, params }, reads: narrowed };
}

/** Parts a product's sum is left in, for a second pass to add up; the twin puts the whole sum into the first. */
function splitsOf({ params }: Dispatch, { shape }: Tensor): number {
  const { splits = 1 } = params;
  return splits > 1 && shape[0] === splits ? splits : 1;
}

function error(got: TwinData, wanted: TwinData, splits: number): number {
  const length = got.length / splits;
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < length; i++) {
    let value = 0;
    for (let s = 0; s < splits; s++) value += got[s * length + i] as number;
    const want = wanted[i] as number;
    largest = Math.max(largest, Math.abs(want));
    const off = Math.abs(value - want);
    // NaN compares false with everything: it must not pass for a small error.
    worst = Number.isFinite(off) ? Math.max(worst, off) : Number.POSITIVE_INFINITY;
  }
  return largest > 0 ? worst / largest : worst;
}

/** Share of bits that differ. */
function bitError(got: TwinData, wanted: TwinData): number {
  let bits = 0;
  got.forEach((word, i) => {
    for (let rest = (word ^ (wanted[i] as number)) >>> 0; rest !== 0; rest &= rest - 1) bits++;
  });
  return bits / (32 * got.length);
}
