// Ops on a device against their plain CPU twins: the same recording for both kinds of adapter, run by the real executor,
// every dispatch checked on the very values it read.
import { openGpu, type Gpu } from "../../src/gpu/device.ts";
import { Executor } from "../../src/gpu/executor.ts";
import { ActivationPool } from "../../src/gpu/pool.ts";
import { uploadWeights, type WeightReader } from "../../src/gpu/weights.ts";
import { type Dispatch, Graph } from "../../src/graph/graph.ts";
import { GPU_TARGET, type Target } from "../../src/graph/target.ts";
import { byteLength, elements, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { asStored, packOnCpu } from "../../src/graph/weight_source.ts";
import type { TwinData } from "../../src/ops/twin.ts";
import { expectClose } from "./compare.ts";
import { adapterLanes, inEightLanes, libraryFeatures, readBuffer, requestTestDevice, softwareKernelsRun } from "./dawn.ts";
import { twinOf } from "./twin_of.ts";
import { CPU_TARGET, SWIFTSHADER } from "./targets.ts";

export interface Range {
  /** Values are `shift + scale * u`, u in [-1, 1). */
  readonly scale?: number;
  readonly shift?: number;
}

/** Numbers that look random and depend on nothing but the label. */
export function values(label: string, count: number, { scale = 1, shift = 0 }: Range = {}): Float32Array {
  let state = 0x811c9dc5;
  for (const character of label) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193);
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let h = Math.imul(state ^ (state >>> 15), state | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return shift + scale * (((h ^ (h >>> 14)) >>> 0) / 2 ** 31 - 1);
  });
}

/** An operand: of the values given, or of ones that look random. */
export function given(graph: Graph, label: string, shape: Shape, data: Float32Array | Uint32Array | Range = {}): Tensor {
  return graph.constant(label, shape, ArrayBuffer.isView(data) ? data : values(label, elements(shape), data));
}

/** A right operand stored as the graph's target wants it, of ones that look random. */
export function matrix(graph: Graph, label: string, shape: Shape): Tensor {
  return graph.matrix(label, shape, asStored(`${label} ${elements(shape)}`, shape));
}

/** Of a checkpoint whose tensors have their size in their name. */
const valuesOf = (name: string) => values(name, Number(name.split(" ").at(-1)));
function readerOf(graph: Graph): WeightReader {
  const names = graph.weights.flatMap(({ source }) => source?.parts.map(({ name }) => name) ?? []);
  return {
    label: "test",
    tensors: new Map(names.map((name) => [name, { dtype: "F32" as const }])),
    read: async (name, begin, end) => new Uint8Array(valuesOf(name).slice(begin, end).buffer as ArrayBuffer),
  };
}

/** Thrown where nothing of what a test asks for runs on the device at hand. */
export class NotHere extends Error {
  override readonly name = "NotHere";
  constructor() {
    super("kernels of software adapters run on those alone");
  }
}

export const runsHere = ({ software, subgroupSize }: Target) => !software || (softwareKernelsRun && subgroupSize <= adapterLanes);

/** The software adapter at hand. */
export const SOFTWARE_HERE = adapterLanes < 8 ? SWIFTSHADER : CPU_TARGET;

/** A GPU's kernels compute in vectors of eight what they do in vectors of four, where they are tried. */
const TARGETS_HERE = inEightLanes ? [SOFTWARE_HERE] : [GPU_TARGET, SOFTWARE_HERE];

const opened = new WeakMap<GPUDevice, Promise<Gpu>>();

/** The file's device as the library sees it, with its cache of pipelines. */
export async function testGpu(): Promise<Gpu> {
  const device = await requestTestDevice({ features: libraryFeatures() });
  const gpu = opened.get(device) ?? openGpu(device);
  opened.set(device, gpu);
  return gpu;
}

/** Every tensor of a graph after a run, as the device has it. */
export type Ran = ReadonlyMap<Tensor, TwinData>;

export async function readTensors(executor: Executor, tensors: Iterable<Tensor>): Promise<Ran> {
  const read = new Map<Tensor, TwinData>();
  for (const tensor of tensors) {
    if (tensor.source) {
      read.set(tensor, packOnCpu(tensor.source, tensor.shape, valuesOf, tensor.dtype));
      continue;
    }
    const bytes = await readBuffer(executor.gpu.device, executor.buffer(tensor), byteLength(tensor));
    read.set(tensor, tensor.dtype === "u32" ? new Uint32Array(bytes, 0, elements(tensor.shape)) : new Float32Array(bytes, 0, elements(tensor.shape)));
  }
  return read;
}

/** Every activation kept to the end, so that each can be read. */
export function keepAll(graph: Graph): void {
  for (const tensor of graph.tensors) if (tensor.kind === "activation") graph.output(tensor);
}

export interface RunOpOptions {
  /** Largest error of a dispatch, in units of the largest value it should give. */
  readonly bound: number;
  /** Pixels of a mask that may fall on the other side of the threshold. */
  readonly flips?: number;
  /** What to record for; where left out, a GPU and the software adapter at hand. */
  readonly targets?: readonly Target[];
}

export interface OpResult<T extends TwinData> {
  readonly value: T;
  readonly graph: Graph;
  /** Largest error of any dispatch, in units of its largest value. */
  readonly error: number;
}

/**
 * Records the op for each target, runs each recording twice on the device and throws unless both runs give the
 * same bits and every dispatch is its twin's within the bound. Of recordings that are the same, one is run.
 */
export async function runOp<T extends TwinData = Float32Array>(
  record: (graph: Graph) => Tensor,
  options: RunOpOptions,
): Promise<readonly [OpResult<T>, ...OpResult<T>[]]> {
  const seen = new Set<string>();
  const results: OpResult<T>[] = [];
  const targets = (options.targets ?? TARGETS_HERE).filter(runsHere);
  if (targets.length === 0) throw new NotHere();
  for (const target of targets) {
    const graph = new Graph(`test.${target.kind}`, target);
    const output = record(graph);
    const recording = JSON.stringify(
      graph.dispatches.map(({ shader, constants, condition, params, workgroups }) => [shader.name, constants, condition, params, workgroups]),
    );
    if (seen.has(recording)) continue;
    seen.add(recording);
    keepAll(graph);
    const gpu = await testGpu();
    const pool = new ActivationPool(gpu);
    const weights = await uploadWeights(gpu, graph.weights, readerOf(graph), { readF32: async (name) => valuesOf(name) });
    const executor = await Executor.create(gpu, graph, pool, weights);
    try {
      await executor.run();
      const ran = await readTensors(executor, graph.tensors);
      await executor.run();
      expectSameBits(ran, await readTensors(executor, graph.outputs));
      const error = Math.max(...graph.dispatches.map((dispatch) => checkDispatch(dispatch, ran, options)));
      results.push({ value: ran.get(output) as T, graph, error });
    } finally {
      executor.dispose();
      pool.dispose();
      for (const buffer of weights.values()) buffer.destroy();
    }
  }
  return results as unknown as readonly [OpResult<T>, ...OpResult<T>[]];
}

export function expectSameBits(first: Ran, second: Ran): void {
  for (const [tensor, values] of second) {
    const before = new Uint32Array((first.get(tensor) as TwinData).buffer, 0, values.length);
    const after = new Uint32Array(values.buffer, 0, values.length);
    const index = after.findIndex((bits, i) => bits !== before[i]);
    if (index >= 0) throw new Error(`${tensor.label}: other bits when run again, at ${index}: ${first.get(tensor)?.[index]}, then ${values[index]}`);
  }
}

/** Throws unless the device's answer is the twin's; gives the largest error in units of the largest value. */
export function checkDispatch(dispatch: Dispatch, ran: Ran, { bound, flips = 0 }: RunOpOptions): number {
  const reads = Object.fromEntries(Object.entries(dispatch.reads).map(([name, tensor]) => [name, ran.get(tensor) as TwinData]));
  const wanted = twinOf(dispatch.op)(dispatch, reads);
  let largest = 0;
  for (const [name, want] of Object.entries(wanted)) {
    const tensor = dispatch.writes[name];
    // A variant may do without what another one keeps.
    if (!tensor) continue;
    const label = `${dispatch.op} (${dispatch.label}, ${dispatch.shader.name}.wgsl) ${name}`;
    const got = ran.get(tensor) as TwinData;
    if (tensor.dtype === "u32") {
      expectSameWords(got as Uint32Array, want as Uint32Array, label, flips);
      continue;
    }
    const { splits = 1 } = dispatch.params;
    const [sums, shape] = splits > 1 && tensor.shape[0] === splits ? [sumOfSplits(got, splits), tensor.shape.slice(1)] : [got, tensor.shape];
    let scale = 0;
    for (const value of want) scale = Math.max(scale, Math.abs(value));
    const error = expectClose(sums, want.subarray(0, sums.length), { label, bound: bound * scale, shape });
    if (scale > 0) largest = Math.max(largest, error / scale);
  }
  return largest;
}

/** A split product leaves partial sums; its twin puts the whole sum into the first part. */
function sumOfSplits(partial: TwinData, splits: number): Float64Array {
  const length = partial.length / splits;
  return Float64Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let s = 0; s < splits; s++) sum += partial[s * length + i] as number;
    return sum;
  });
}

function expectSameWords(got: Uint32Array, want: Uint32Array, label: string, flips: number): void {
  const wrong = Array.from(want.keys()).filter((i) => got[i] !== want[i]);
  const bits = wrong.reduce((sum, i) => sum + popcount(((got[i] as number) ^ (want[i] as number)) >>> 0), 0);
  if (got.length === want.length && bits <= flips) return;
  const [first = 0] = wrong;
  throw new Error(
    `${label}: ${bits} of ${32 * want.length} bits differ (${flips} may), first in word ${first}: got ${got[first]?.toString(2)}, want ${want[first]?.toString(2)}`,
  );
}

function popcount(word: number): number {
  return word.toString(2).replaceAll("0", "").length;
}
