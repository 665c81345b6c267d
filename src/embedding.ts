// An encoded image, as a plain value: keep many, save them, use them after a lost device.
import { SamError } from "./errors.ts";
import type { Framing } from "./image/image.ts";

export interface Embedding {
  /** Where the image lies in the model's square. */
  readonly framing: Framing;
  /** The embedding in the reference's order, to keep in a file or a database. */
  save(): Promise<SavedEmbedding>;
  /** Lets go of its memory, 256 KiB at 256×256. */
  dispose(): void;
}

export interface SavedEmbedding {
  /** [1, D, g, g], channels first, as the reference has it. */
  readonly data: Float32Array;
  readonly shape: readonly [1, number, number, number];
  readonly framing: Framing;
  /** Name of the model that made it. */
  readonly model: string;
}

export class HeldEmbedding implements Embedding {
  constructor(
    /** [T, D], channels last, as the kernels read it; empty once disposed. */
    public tokens: Float32Array,
    readonly channels: number,
    readonly framing: Framing,
    readonly model: string,
  ) {}

  async save(): Promise<SavedEmbedding> {
    const { tokens, channels, framing, model } = this;
    if (tokens.length === 0) {
      throw new SamError({ code: "disposed", op: "save", argument: "embedding", expected: "in use", got: "disposed", remedy: "Encode the image again." });
    }
    const grid = Math.sqrt(tokens.length / channels);
    return { data: transpose(tokens, grid * grid, channels), shape: [1, channels, grid, grid], framing, model };
  }

  static restore({ data, shape, framing, model }: SavedEmbedding): HeldEmbedding {
    const [, channels, rows, columns] = shape;
    return new HeldEmbedding(transpose(data, channels, rows * columns), channels, framing, model);
  }

  dispose(): void {
    this.tokens = new Float32Array();
  }
}

/** [rows, columns] → [columns, rows] */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column] as number;
  return out;
}
