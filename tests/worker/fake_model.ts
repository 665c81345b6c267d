// A model without a network, for tests of what lies around it: the mask of a prompt is what resembles the prompt's gray.
import type { Embedding, SavedEmbedding } from "../../src/embedding.ts";
import { SamError } from "../../src/errors.ts";
import { type Framing, frame, type ImageSource, type RawImage, toRawImage } from "../../src/image/image.ts";
import { fetchUpsampling, type Mask, maskOf, packBits } from "../../src/image/mask.ts";
import { detectInput } from "../../src/model/input.ts";
import { VIT_B } from "../../src/model/config.ts";
import type { Box, Prompt } from "../../src/model/prompts.ts";
import type { LoadOptions } from "../../src/sam_options.ts";
import type { Decoded, DecodedAs, DecodeOptions, EncodeOptions, ModelStats, Output, Segmenter } from "../../src/segmenter.ts";

export interface FakeOptions {
  /** Milliseconds that an encode and a decode take. */
  readonly encodeTime?: number;
  readonly decodeTime?: number;
  readonly meaningless?: boolean;
}

const GRID = 16;

/** As the true model: an embedding of other weights is refused by it. */
const FINGERPRINT = "0123456789abcdef";

export class FakeEmbedding implements Embedding {
  disposed = false;
  readonly image: RawImage;
  readonly framing: Framing;

  constructor(image: RawImage, framing: Framing) {
    this.image = image;
    this.framing = framing;
  }

  async save(): Promise<SavedEmbedding> {
    if (this.disposed) throw new Error("saved after dispose");
    const { width, height, channels, data } = this.image;
    const side = 16 * GRID;
    // The picture itself, as small as it has to be.
    const kept = Float32Array.from({ length: side * side }, (_, i) => {
      const [x, y] = [Math.floor(((i % side) * width) / side), Math.floor((Math.floor(i / side) * height) / side)];
      return data[(y * width + x) * channels] as number;
    });
    return { data: kept, shape: [1, 256, GRID, GRID], framing: this.framing, model: "fake", fingerprint: FINGERPRINT };
  }

  dispose(): void {
    this.disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export class FakeModel implements Segmenter {
  readonly config = VIT_B;
  readonly name = "SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters";
  readonly input = detectInput(VIT_B, "fake");
  readonly device = { description: "a fake device", vendor: "none", architecture: "none", kind: "cpu", precision: "f32", products: "f32" } as const;
  readonly meaningless: boolean;
  readonly fingerprint = FINGERPRINT;
  readonly embeddings: FakeEmbedding[] = [];
  readonly decoded: Prompt[] = [];
  encodes = 0;
  disposed = false;
  /** The next encode or decode throws this. */
  failNext: unknown;
  readonly #options: FakeOptions;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.meaningless = options.meaningless ?? false;
  }

  async encode(image: ImageSource, { fit = "resize", signal }: EncodeOptions = {}): Promise<FakeEmbedding> {
    this.encodes += 1;
    await pause(this.#options.encodeTime ?? 0, signal);
    this.#fail();
    const raw = toRawImage(image);
    const embedding = new FakeEmbedding(raw, frame(raw.width, raw.height, 256, fit));
    this.embeddings.push(embedding);
    return embedding;
  }

  async decode<O extends Output = "all">(embedding: Embedding, prompt: Prompt, options?: DecodeOptions<O>): Promise<DecodedAs[O]>;
  async decode<O extends Output = "all">(embedding: Embedding, prompts: readonly Prompt[], options?: DecodeOptions<O>): Promise<DecodedAs[O][]>;
  async decode(embedding: Embedding, prompts: Prompt | readonly Prompt[], { output = "all" }: DecodeOptions<Output> = {}) {
    await pause(this.#options.decodeTime ?? 0);
    await fetchUpsampling();
    this.#fail();
    if (!(embedding instanceof FakeEmbedding) || embedding.disposed) throw new Error("decoded a strange embedding");
    const one = (prompt: Prompt) => {
      this.decoded.push(prompt);
      return only(output, decodeByGray(embedding.image, prompt, embedding.framing));
    };
    return Array.isArray(prompts) ? prompts.map(one) : one(prompts as Prompt);
  }

  restore(saved: SavedEmbedding): FakeEmbedding {
    if (saved.fingerprint !== FINGERPRINT) {
      const facts = { argument: "fingerprint", expected: FINGERPRINT, got: `${saved.fingerprint}`, remedy: "Encode again." };
      throw new SamError({ code: "image", op: "restore", ...facts });
    }
    const { width, height } = saved.framing;
    const side = 16 * GRID;
    const data = Uint8Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [Math.floor(((i % width) * side) / width), Math.floor((Math.floor(i / width) * side) / height)];
      return saved.data[y * side + x] as number;
    });
    const embedding = new FakeEmbedding({ data, width, height, channels: 1 }, saved.framing);
    this.embeddings.push(embedding);
    return embedding;
  }

  stats(): ModelStats {
    const part = { dispatches: 1, submits: 1, flop: 1, activationBytes: 1 };
    return { input: "sam-med2d, as asked for", encode: part, decode: part, weightBytes: 1, activationBytes: 1 };
  }

  dispose(): void {
    this.disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #fail(): void {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
  }
}

/** Of a whole answer what `output` asks for. */
function only(output: Output, decoded: Decoded): DecodedAs[Output] {
  const { scores, best, mask, logits } = decoded;
  if (output === "logits") return { scores, best, logits };
  if (output === "best") return { scores, best, mask };
  if (output === "packed") return { scores, best, bits: packBits(mask.data), width: mask.width, height: mask.height };
  return decoded;
}

/** Loads in steps as the true one does, and can be cancelled in between. */
export function fakeLoad(options: FakeOptions & { readonly loadTime?: number } = {}): (load: LoadOptions) => Promise<FakeModel> {
  return async ({ weights, onProgress, signal }) => {
    const meaningless = typeof weights === "string" && weights.startsWith("synthetic:");
    const total = 1_073_741_824;
    const steps = 50;
    for (let step = 0; step <= steps; step++) {
      await pause((options.loadTime ?? 0) / steps, signal);
      onProgress?.({ stage: "weights", loaded: (total * step) / steps, total, unit: "bytes" });
    }
    onProgress?.({ stage: "ready", loaded: total, total, unit: "bytes" });
    return new FakeModel({ meaningless, ...options });
  };
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Grows from every positive point (or the box's middle) over like grays; three tolerances make three candidates. */
function decodeByGray(image: RawImage, { points = [], box: corners, multimask = true }: Prompt, framing: Framing): Decoded {
  const box = corners as Box | undefined;
  const { width, height } = image;
  const smooth = smoothed(image);
  const seeds = points.filter(({ label = 1 }) => label === 1).map(({ x, y }) => Math.floor(y) * width + Math.floor(x));
  if (box && seeds.length === 0) seeds.push(Math.floor((box[1] + box[3]) / 2) * width + Math.floor((box[0] + box[2]) / 2));
  const barred = points.filter(({ label }) => label === 0);
  const masks: Mask[] = (multimask ? [10, 18, 30] : [18]).map((tolerance) => {
    const mask = new Uint8Array(width * height);
    for (const seed of seeds) {
      const level = smooth[seed] as number;
      const stack = [seed];
      while (stack.length > 0) {
        const at = stack.pop() as number;
        const x = at % width;
        const y = (at - x) / width;
        if (mask[at] || Math.abs((smooth[at] as number) - level) > tolerance) continue;
        if (box && (x < box[0] || x >= box[2] || y < box[1] || y >= box[3])) continue;
        if (barred.some((point) => Math.hypot(point.x - x, point.y - y) < 14)) continue;
        mask[at] = 1;
        if (x > 0) stack.push(at - 1);
        if (x < width - 1) stack.push(at + 1);
        if (y > 0) stack.push(at - width);
        if (y < height - 1) stack.push(at + width);
      }
    }
    return { data: mask, width, height };
  });
  const scores = Float32Array.from(masks, (_, index) => [0.81, 0.93, 0.67][index] as number);
  const best = multimask ? 1 : 0;
  const side = 4 * GRID;
  const logits = Float32Array.from({ length: masks.length * side * side }, (_, i) => {
    const x = Math.floor(((i % side) * width) / side);
    const y = Math.floor(((Math.floor(i / side) % side) * height) / side);
    return masks[Math.floor(i / (side * side))]?.data[y * width + x] ? 4 : -4;
  });
  // As the true model has them.
  const kept = masks.map((mask, i) =>
    maskOf(
      i === best ? { width, height, bits: packBits(mask.data) } : { width, height, logits: logits.subarray(i * side * side, (i + 1) * side * side), framing },
    ),
  );
  return { masks: kept, mask: kept[best] as Mask, scores, logits, best };
}

/** By image: what is asked of one again and again is blurred once. */
const SMOOTH = new WeakMap<RawImage, Float32Array>();

function smoothed(image: RawImage): Float32Array {
  const { width, height, channels, data } = image;
  const known = SMOOTH.get(image);
  if (known) return known;
  const gray = new Float32Array(width * height);
  for (let i = 0; i < gray.length; i++) gray[i] = data[i * channels] as number;
  const smooth = blurred(gray, width, height);
  SMOOTH.set(image, smooth);
  return smooth;
}

function blurred(gray: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(gray.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      let n = 0;
      for (let v = Math.max(0, y - 2); v <= Math.min(height - 1, y + 2); v++) {
        for (let u = Math.max(0, x - 2); u <= Math.min(width - 1, x + 2); u++) {
          sum += gray[v * width + u] as number;
          n++;
        }
      }
      out[y * width + x] = sum / n;
    }
  }
  return out;
}
