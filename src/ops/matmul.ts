// Gathered matrix product, the work under linear layers, convolutions and transposed convolutions.
import { expectShape, type Graph } from "../graph/graph.ts";
import { elements, type Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, type Activation } from "./activation.ts";
import { matmulReduce } from "./matmul_reduce.ts";
import { chooseMatmul } from "./matmul_variants.ts";

/** In a row table: nothing is read. */
export const ZERO_ROW = 0xffffffff;

export interface Epilogue {
  /** [N] */
  readonly bias?: Tensor;
  readonly activation?: Activation;
  /** [R, N], added after the activation: row r mod R to row r. R divides the rows written. */
  readonly residual?: Tensor;
  /** Columns that see the residual, the first ones; all unless given. */
  readonly residualColumns?: number;
  /** Adds the residual before the activation instead. */
  readonly activatedLast?: boolean;
}

export interface MatmulOptions extends Epilogue {
  readonly op: string;
  readonly label: string;
  /** u32 [Z, T + 1, M], the rows that phase z reads and writes: for each of T taps the row of x or ZERO_ROW, then the row of y. */
  readonly rows?: Tensor;
  /** [K]: multiplies every row read. */
  readonly gate?: Tensor;
  /**
   * Of a product that is split, gives the parts of the sum, [splits, M, N], for a reader that adds them up: the first holds bias and residual.
   * The activation is then the reader's, and rules out a residual.
   */
  readonly partial?: boolean;
  /** x was not normed: its values may be beyond f16, so it is multiplied in f32 on devices that multiply in f16 too. */
  readonly wide?: boolean;
}

/**
 * x [rows, K] by weight [Z·T·K, N] → [Z·M, N]. K and N are multiples of 4.
 * Without a row table: Z = T = 1 and row m reads and writes row m.
 */
export function matmul(graph: Graph, x: Tensor, weight: Tensor, options: MatmulOptions): Tensor {
  const { op, label, rows, gate, residual } = options;
  const k = x.shape.at(-1) as number;
  const n = weight.shape.at(-1) as number;
  const [phases, tables, m] = (rows?.shape ?? [1, 2, elements(x.shape) / k]) as [number, number, number];
  const taps = tables - 1;
  const outRows = phases * m;
  expectShape(op, "weight", weight, [phases * taps * k, n]);
  expectShape(op, "x", x, [elements(x.shape) / k, Math.ceil(k / 4) * 4]);
  const bias = options.bias ?? graph.zeros([n]);
  expectShape(op, "bias", bias, [n]);
  const residualRows = residual ? (residual.shape[0] as number) : outRows;
  if (residual) expectShape(op, "residual", residual, [outRows % residualRows === 0 ? residualRows : outRows, n]);
  if (gate) expectShape(op, "gate", gate, [k]);
  const shape = { m, n, k, taps, phases, dtype: weight.dtype, reducedByReader: options.partial === true, wide: options.wide === true };
  const { shader, condition, constants, workgroups, splits, work, choice } = chooseMatmul(graph.target, shape);
  const target = splits > 1 ? graph.activation(`${label}.partial`, [splits, outRows, n]) : graph.activation(label, [outRows, n]);
  const activation = ACTIVATION_CODE[options.activation ?? "none"];
  const added = { residual_rows: residualRows, residual_columns4: residual ? (options.residualColumns ?? n) / 4 : 0 };
  // A residual comes after the activation, which comes after the last part.
  const late = splits > 1 && activation !== 0 && !options.activatedLast ? residual : undefined;
  const nothing = { residual_rows: outRows, residual_columns4: 0 };

  graph.dispatch({
    op,
    label,
    shader,
    condition,
    reads: {
      x,
      weight,
      bias,
      residual: residual && !late ? residual : graph.none,
      rows: rows ?? graph.none,
      gate: gate ?? graph.none,
    },
    writes: { y: target },
    params: {
      m,
      n4: n / 4,
      k4: k / 4,
      taps,
      splits,
      out_rows: outRows,
      activation: splits > 1 ? 0 : activation,
      activated_last: options.activatedLast ? 1 : 0,
      ...(late ? nothing : added),
    },
    constants: { GATHER: rows !== undefined, GATE: gate !== undefined, ...constants },
    workgroups,
    choice,
    work,
    flop: 2 * m * n * k * taps * phases,
  });
  if (splits === 1 || options.partial) return target;
  const y = graph.activation(label, [outRows, n]);
  matmulReduce(graph, target, y, { activation, residual: late, added: late ? added : nothing, choice });
  return y;
}
