// Replays a graph: pipelines compiled in parallel, bind groups made once, one command buffer a run.
import type { Graph } from "../graph/graph.ts";
import { type Plan, plan, submitEnd } from "../graph/plan.ts";
import { paramsBytes } from "../graph/shader.ts";
import { byteLength, type Tensor } from "../graph/tensor.ts";
import { SUBMIT_BUDGET_MS } from "../graph/time_model.ts";
import { type Gpu, guarded, issue } from "./device.ts";
import { layoutOf, pipelineOf } from "./kernel.ts";
import { packParams } from "./params.ts";
import type { ActivationPool } from "./pool.ts";
import type { WeightBuffers } from "./weights.ts";

/** The slowest speed believed of any device: measured times include whatever else it was doing. */
const MIN_FLOP_PER_MS = 2.5e5;

export interface CompileProgress {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((compiled: number, total: number) => void) | undefined;
}

export interface RunOptions {
  readonly before?: ((encoder: GPUCommandEncoder) => void) | undefined;
  readonly after?: ((encoder: GPUCommandEncoder) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** FLOP done, of all: after each submit of a run that takes several. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export class Executor {
  readonly plan: Plan;
  /** Submits of the last run. */
  submits = 0;
  #pipelines: GPUComputePipeline[] = [];
  #bindGroups: GPUBindGroup[] = [];
  #generation = -1;
  /** Constants and inputs: buffers of this graph alone. */
  readonly #own = new Map<Tensor, GPUBuffer>();
  readonly #params: GPUBuffer;
  readonly #paramOffsets: number[] = [];

  private constructor(
    readonly gpu: Gpu,
    readonly graph: Graph,
    readonly pool: ActivationPool,
    readonly weights: WeightBuffers,
  ) {
    this.plan = plan(graph);
    const { device } = gpu;
    const packed = graph.dispatches.map(({ shader, params }) => packParams(shader, params));
    const stride = device.limits.minUniformBufferOffsetAlignment;
    let bytes = 0;
    for (const data of packed) {
      this.#paramOffsets.push(bytes);
      bytes += Math.ceil(data.byteLength / stride) * stride;
    }
    this.#params = device.createBuffer({ label: `${graph.label}.params`, size: Math.max(bytes, 16), usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    const all = new Uint8Array(Math.max(bytes, 16));
    packed.forEach((data, i) => {
      all.set(data, this.#paramOffsets[i]);
    });
    device.queue.writeBuffer(this.#params, 0, all);
    for (const tensor of graph.tensors) {
      if (tensor.kind !== "constant" && tensor.kind !== "input") continue;
      const buffer = device.createBuffer({
        label: tensor.label,
        size: byteLength(tensor),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
      });
      if (tensor.data) device.queue.writeBuffer(buffer, 0, tensor.data as Float32Array<ArrayBuffer>);
      this.#own.set(tensor, buffer);
    }
  }

  /** Compiles every pipeline of the graph, in parallel. */
  static async create(gpu: Gpu, graph: Graph, pool: ActivationPool, weights: WeightBuffers, progress: CompileProgress = {}): Promise<Executor> {
    let executor = undefined as Executor | undefined;
    try {
      return await guarded(gpu, graph.label, async () => {
        executor = issue(gpu, () => new Executor(gpu, graph, pool, weights));
        let compiled = 0;
        executor.#pipelines = await Promise.all(
          graph.dispatches.map(async (dispatch) => {
            const pipeline = await pipelineOf(gpu, dispatch);
            progress.signal?.throwIfAborted();
            progress.onProgress?.(++compiled, graph.dispatches.length);
            return pipeline;
          }),
        );
        return executor;
      });
    } catch (error) {
      executor?.dispose();
      throw error;
    }
  }

  /** The buffer of a tensor. An activation's is its own only until the next run of any graph of the model. */
  buffer(tensor: Tensor): GPUBuffer {
    const slot = this.plan.slotOf.get(tensor);
    const buffer = slot !== undefined ? this.pool.buffer(slot) : tensor.kind === "weight" ? this.weights.get(tensor.label) : this.#own.get(tensor);
    if (!buffer) throw new Error(`${this.graph.label}: ${tensor.label} has no buffer`);
    return buffer;
  }

  /** Reserves activation memory; call before writing inputs or encoding copies around a run. */
  prepare(): void {
    issue(this.gpu, () => this.#prepare());
  }

  #prepare(): void {
    this.pool.reserve(this.plan.slots);
    if (this.#generation === this.pool.generation) return;
    const { device } = this.gpu;
    this.#bindGroups = this.graph.dispatches.map((dispatch, index) => {
      const { shader, reads, writes, label } = dispatch;
      const entries = shader.bindings.map(({ name, index: binding, access }) => {
        if (access === "uniform")
          return { binding, resource: { buffer: this.#params, offset: this.#paramOffsets[index] as number, size: paramsBytes(shader) } };
        const tensor = (reads[name] ?? writes[name]) as Tensor;
        return { binding, resource: { buffer: this.buffer(tensor), size: byteLength(tensor) } };
      });
      return device.createBindGroup({ label, layout: layoutOf(this.gpu, shader), entries });
    });
    this.#generation = this.pool.generation;
  }

  /**
   * Runs the graph once and resolves when the work is submitted, or done where it takes several submits.
   * `before` and `after` encode copies into the inputs and out of the outputs, in the same command buffers.
   */
  async run({ before, after, signal, onProgress }: RunOptions = {}): Promise<void> {
    this.prepare();
    const { device } = this.gpu;
    const count = this.graph.dispatches.length;
    let submits = 0;
    // What a submit teaches of the device's speed counts for the next one already.
    for (let begin = 0, end = 0; begin < count; begin = end, submits++) {
      signal?.throwIfAborted();
      end = submitEnd(this.graph, begin, this.gpu.flopPerMs, SUBMIT_BUDGET_MS);
      const started = performance.now();
      issue(this.gpu, () => {
        const encoder = device.createCommandEncoder({ label: this.graph.label });
        if (begin === 0) before?.(encoder);
        const pass = encoder.beginComputePass({ label: this.graph.label });
        this.encodeRange(pass, begin, end);
        pass.end();
        if (end === count) after?.(encoder);
        device.queue.submit([encoder.finish()]);
      });
      if (begin > 0 || end < count) {
        await device.queue.onSubmittedWorkDone();
        this.#learn(begin, end, performance.now() - started);
        signal?.throwIfAborted();
        onProgress?.(this.#flop(0, end), this.#flop(0));
      }
    }
    this.submits = submits;
  }

  /** Records one run among other commands, after `prepare`. */
  encode(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass({ label: this.graph.label });
    this.encodeRange(pass, 0, this.graph.dispatches.length);
    pass.end();
  }

  /** Of a run. */
  get flop(): number {
    return this.#flop(0);
  }

  /** Records the dispatches [begin, end), after `prepare`: a profiler gives them a pass of their own. */
  encodeRange(pass: GPUComputePassEncoder, begin: number, end: number): void {
    for (let d = begin; d < end; d++) {
      pass.setPipeline(this.#pipelines[d] as GPUComputePipeline);
      pass.setBindGroup(0, this.#bindGroups[d] as GPUBindGroup);
      pass.dispatchWorkgroups(...(this.graph.dispatches[d]?.workgroups ?? [1, 1, 1]));
    }
  }

  /** Halfway to what was seen, so that one odd time does not decide; small parts are all overhead and say nothing. */
  #learn(begin: number, end: number, ms: number): void {
    const flop = this.#flop(begin, end);
    if (flop > 1e8) this.gpu.flopPerMs = Math.max(MIN_FLOP_PER_MS, (this.gpu.flopPerMs + flop / ms) / 2);
  }

  /** Told how long a run in one submit took: a device that needs longer than the budget gets several from now on, a faster one longer submits. */
  learnWhole(ms: number): void {
    if (this.submits !== 1) return;
    const seen = Math.max(MIN_FLOP_PER_MS, this.#flop(0) / ms);
    if (ms > SUBMIT_BUDGET_MS || seen > this.gpu.flopPerMs) this.gpu.flopPerMs = seen;
  }

  #flop(begin: number, end?: number): number {
    return this.graph.dispatches.slice(begin, end).reduce((sum, dispatch) => sum + dispatch.flop, 0);
  }

  dispose(): void {
    this.#params.destroy();
    for (const buffer of this.#own.values()) buffer.destroy();
    this.#own.clear();
    this.#bindGroups = [];
    this.#generation = -1;
  }
}
