// An append-only list of dispatches over shaped handles. Recording touches no device.
import { formatShape, SamError } from "../errors.ts";
import type { Constants, Shader } from "./shader.ts";
import { GPU_TARGET, type Target } from "./target.ts";
import { byteLength, type DType, elements, type Shape, type Tensor, type WeightType } from "./tensor.ts";
import type { Work } from "./time_model.ts";
import type { WeightSource } from "./weight_source.ts";

export type Workgroups = readonly [x: number, y: number, z: number];

/** An op's variants for one shape. Dispatches that hold the same one belong together. */
export interface Choice {
  /** Of the target's `choices`. */
  readonly key: string;
  /** Names of what may be chosen, the default first. */
  readonly candidates: readonly string[];
}

export interface Dispatch {
  /** Base name of the op's file in `src/ops`. */
  readonly op: string;
  /** Dotted module path of the reference: `image_encoder.blocks.3.norm2`. */
  readonly label: string;
  readonly shader: Shader;
  /** By the shader's binding name. */
  readonly reads: Readonly<Record<string, Tensor>>;
  readonly writes: Readonly<Record<string, Tensor>>;
  /** By the field names of the shader's `Params`. */
  readonly params: Readonly<Record<string, number>>;
  readonly constants: Constants;
  /** Link-time condition of the shader that holds: which of its texts is compiled. */
  readonly condition: string;
  readonly workgroups: Workgroups;
  /** Where the op has variants to choose from. */
  readonly choice?: Choice | undefined;
  readonly flop: number;
  /** What its threads do, for the time model; where the op says nothing, it is guessed from `flop`. */
  readonly work?: Work | undefined;
  /** Bytes that must cross device memory at least once: every operand read or written once. */
  readonly bytes: number;
}

export type DispatchRecord = Omit<Dispatch, "constants" | "condition" | "bytes"> & {
  readonly constants?: Constants;
  readonly condition?: string;
  readonly bytes?: number;
};

/** WebGPU's default limit on each dimension of a dispatch. */
const MAX_WORKGROUPS = 65535;

export class Graph {
  readonly dispatches: Dispatch[] = [];
  readonly tensors: Tensor[] = [];
  readonly outputs: Tensor[] = [];
  readonly #weights = new Map<string, Tensor>();
  readonly #written = new Set<Tensor>();
  #none: Tensor | undefined;

  constructor(
    readonly label: string,
    readonly target: Target = GPU_TARGET,
  ) {}

  activation(label: string, shape: Shape, dtype: DType = "f32"): Tensor {
    return this.#add({ kind: "activation", label, shape, dtype });
  }

  /** Written by the host before each run. */
  input(label: string, shape: Shape, dtype: DType = "f32"): Tensor {
    const tensor = this.#add({ kind: "input", label, shape, dtype });
    this.#written.add(tensor);
    return tensor;
  }

  constant(label: string, shape: Shape, data: Float32Array | Uint32Array): Tensor {
    this.#expect(data.length === elements(shape), label, formatShape(shape), `${data.length} values`);
    const tensor = this.#add({ kind: "constant", label, shape, dtype: data instanceof Uint32Array ? "u32" : "f32", data });
    this.#written.add(tensor);
    return tensor;
  }

  /** What an optional binding is bound to where a dispatch does without it. */
  get none(): Tensor {
    this.#none ??= this.constant("none", [4], new Float32Array(4));
    return this.#none;
  }

  /** What an optional output is bound to where a dispatch does without it: nobody reads it. */
  sink(): Tensor {
    return this.activation("sink", [4]);
  }

  zeros(shape: Shape): Tensor {
    const label = `zeros ${formatShape(shape)}`;
    return this.tensors.find((tensor) => tensor.label === label) ?? this.constant(label, shape, new Float32Array(elements(shape)));
  }

  /** A weight is known by its label: the same label in several graphs is one buffer. */
  weight(label: string, shape: Shape, source: WeightSource, dtype: WeightType = "f32"): Tensor {
    const known = this.#weights.get(label);
    if (known) return known;
    const tensor = this.#add({ kind: "weight", label, shape, dtype, source });
    this.#written.add(tensor);
    this.#weights.set(label, tensor);
    return tensor;
  }

  /** The right operand of a matrix product, [K, N]: stored as narrow as the target wants it. */
  matrix(label: string, shape: Shape, source: WeightSource): Tensor {
    return this.weight(label, shape, source, this.target.weights);
  }

  get weights(): readonly Tensor[] {
    return [...this.#weights.values()];
  }

  /** A tensor that outlives the run, to be read back or copied. */
  output(tensor: Tensor): Tensor {
    if (!this.outputs.includes(tensor)) this.outputs.push(tensor);
    return tensor;
  }

  dispatch(record: DispatchRecord): void {
    // Recordings are the same for every user and are all made by the tests: what is shipped does without the checks.
    if (import.meta.env.DEV) this.#check(record);
    this.#expectWorkgroups(record);
    for (const tensor of Object.values(record.writes)) this.#written.add(tensor);
    const operands = new Set([...Object.values(record.reads), ...Object.values(record.writes)]);
    const bytes = record.bytes ?? [...operands].reduce((sum, tensor) => sum + byteLength(tensor), 0);
    this.dispatches.push({ ...record, constants: record.constants ?? {}, condition: record.condition ?? "", bytes });
  }

  #check(record: DispatchRecord): void {
    const { op, label, shader, reads, writes, params } = record;
    const where = `${op} (${label})`;
    const bound = new Set([...Object.keys(reads), ...Object.keys(writes)]);
    for (const { name, access } of shader.bindings) {
      if (access === "uniform") continue;
      const side = access === "read" ? reads : writes;
      this.#expect(name in side, where, `${name} bound as ${access}`, "nothing", name);
      bound.delete(name);
    }
    this.#expect(bound.size === 0, where, `bindings of ${shader.name}.wgsl`, [...bound].join(", "));
    const fields = shader.params.map(({ name }) => name);
    this.#expect(
      fields.every((name) => Number.isFinite(params[name])) && Object.keys(params).every((name) => fields.includes(name)),
      where,
      `params {${fields.join(", ")}}, all finite`,
      JSON.stringify(params),
    );
    for (const [name, tensor] of Object.entries(reads)) {
      this.#expect(this.#written.has(tensor), where, "a tensor written before it is read", tensor.label, name);
    }
    const inputs = new Set(Object.values(reads));
    for (const [name, tensor] of Object.entries(writes)) {
      this.#expect(tensor.kind === "activation" && !inputs.has(tensor), where, "an activation the dispatch does not read", tensor.label, name);
    }
  }

  /** In what is shipped too: an image size of somebody's own may ask for more, and a device then runs nothing and says so to nobody. */
  #expectWorkgroups({ op, label, workgroups }: DispatchRecord): void {
    if (workgroups.every((count) => Number.isInteger(count) && count >= 1 && count <= MAX_WORKGROUPS)) return;
    const expected = `1 to ${MAX_WORKGROUPS} workgroups in each dimension`;
    throw new SamError({
      code: "graph",
      op: `${op} (${label})`,
      expected,
      got: formatShape(workgroups),
      remedy: "Run the network at a smaller imageSize, or decode fewer prompts at a time.",
    });
  }

  #add(tensor: Omit<Tensor, "id">): Tensor {
    this.#expect(
      tensor.shape.every((side) => Number.isInteger(side) && side >= 1),
      tensor.label,
      "sides that are whole and at least 1",
      formatShape(tensor.shape),
    );
    const added = { id: this.tensors.length, ...tensor };
    this.tensors.push(added);
    return added;
  }

  #expect(holds: boolean, op: string, expected: string, got: string, argument?: string): asserts holds {
    if (!holds)
      throw new SamError({ code: "graph", op, expected, got, remedy: "This is how the graph was recorded, not the input.", ...(argument ? { argument } : {}) });
  }
}

/** Throws unless `tensor` has `shape`: the check every op makes of its arguments. */
export function expectShape(op: string, argument: string, tensor: Tensor, shape: Shape): void {
  if (tensor.shape.length === shape.length && tensor.shape.every((side, i) => side === shape[i])) return;
  throw new SamError({
    code: "graph",
    op,
    argument,
    expected: formatShape(shape),
    got: `${formatShape(tensor.shape)} (${tensor.label})`,
    remedy: "Check the shapes of the tensors given to the op.",
  });
}
