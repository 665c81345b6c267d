// An encoded image, as a plain value: keep many, save them, use them after a lost device.
import { DISPOSE } from "./disposing.ts";
import { SamError } from "./errors.ts";
import type { Framing } from "./image/image.ts";
import { describe } from "./options.ts";

export interface Embedding {
  /** Where the image lies in the model's square. */
  readonly framing: Framing;
  /** The embedding in the reference's order, to keep in a file or a database. */
  save(): Promise<SavedEmbedding>;
  /** Lets go of its memory, 256 KiB at 256×256. */
  dispose(): void;
  /** `dispose`, for `using`. */
  [Symbol.dispose](): void;
}

export interface SavedEmbedding {
  /** [1, D, g, g], channels first, as the reference has it. */
  readonly data: Float32Array;
  readonly shape: readonly [1, number, number, number];
  readonly framing: Framing;
  /** Name of the model that made it. */
  readonly model: string;
  /** Of the weights and the configuration that made it; missing in embeddings of earlier versions. */
  readonly fingerprint?: string;
}

export class HeldEmbedding implements Embedding {
  constructor(
    /** [T, D], channels last, as the kernels read it; empty once disposed. */
    public tokens: Float32Array,
    readonly channels: number,
    readonly framing: Framing,
    readonly model: string,
    readonly fingerprint: string | undefined,
  ) {}

  async save(): Promise<SavedEmbedding> {
    const { tokens, channels, framing, model, fingerprint } = this;
    if (tokens.length === 0) {
      throw new SamError({ code: "disposed", op: "save", argument: "embedding", expected: "in use", got: "disposed", remedy: "Encode the image again." });
    }
    const grid = Math.sqrt(tokens.length / channels);
    return { data: transpose(tokens, grid * grid, channels), shape: [1, channels, grid, grid], framing, model, ...(fingerprint && { fingerprint }) };
  }

  static restore({ data, shape, framing, model, fingerprint }: SavedEmbedding): HeldEmbedding {
    const [, channels, rows, columns] = shape;
    return new HeldEmbedding(transpose(data, channels, rows * columns), channels, framing, model, fingerprint);
  }

  dispose(): void {
    this.tokens = new Float32Array();
  }

  [DISPOSE](): void {
    this.dispose();
  }
}

/** [rows, columns] → [columns, rows] */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column] as number;
  return out;
}

/** @throws SamError what JSON or a database made of it: a plain object for `data`. */
export function expectSaved(saved: SavedEmbedding): void {
  const wrong = (argument: string, expected: string, got: unknown, remedy: string) =>
    new SamError({ code: "image", op: "restore", argument, expected, got: describe(got), remedy });
  if (typeof saved !== "object" || saved === null) throw wrong("embedding", "what save() gave", saved, "Keep all of what save() gave.");
  const { data, shape, framing } = saved;
  if (Object.prototype.toString.call(data) !== "[object Float32Array]")
    throw wrong("data", "a Float32Array", data, "JSON keeps no typed arrays: pass Float32Array.from(Object.values(data)).");
  if (!Array.isArray(shape)) throw wrong("shape", "[1, channels, side, side]", shape, "Keep what save() gave.");
  if (typeof framing !== "object" || framing === null) throw wrong("framing", "the framing that save() gave", framing, "Keep all of what save() gave.");
}
