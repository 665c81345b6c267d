// A model for evaluation that answers with a disc around its first point, or with the box.
import { VIT_B } from "../../src/model/config.ts";
import { detectInput } from "../../src/model/input.ts";
import { frame, type ImageSource, toRawImage } from "../../src/image/image.ts";
import { thresholdTwin, upsampleTwin } from "../../src/image/postprocess.ts";
import type { Box, Decoded, Mask, Prompt, SavedEmbedding, Segmenter } from "../../src/index.ts";

export const SIZE = 256;
const SIDE = 64;

function disc(inside: (x: number, y: number) => boolean): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => (inside(i % SIDE, Math.floor(i / SIDE)) ? 4 : -4));
}

interface Answer {
  readonly logits: Float32Array;
  readonly data: Uint8Array;
}

/** By what was asked: a dataset is evaluated again and again. */
const answers = new Map<string, Answer>();

function answer(framing: SavedEmbedding["framing"], box: Box | undefined, x0: number, y0: number, radius: number): Answer {
  const asked = JSON.stringify([framing, box ?? [x0, y0, radius]]);
  let known = answers.get(asked);
  if (!known) {
    const logits = box
      ? disc((x, y) => x * 4 >= box[0] && x * 4 < box[2] && y * 4 >= box[1] && y * 4 < box[3])
      : disc((x, y) => Math.hypot(x - x0 / 4, y - y0 / 4) < radius);
    known = { logits, data: thresholdTwin(upsampleTwin(logits, SIDE, framing)) };
    answers.set(asked, known);
  }
  return { logits: known.logits, data: known.data.slice() };
}

interface Seen {
  encoded: number;
  readonly prompts: Prompt[][];
}

/** `stop` is called after each encode. */
export function discModel(stop: (encoded: number) => void = () => undefined): { loadModel: () => Promise<Segmenter>; seen: Seen } {
  const seen: Seen = { encoded: 0, prompts: [] };
  const embedding = (framing: SavedEmbedding["framing"]) => ({
    framing,
    save: async (): Promise<SavedEmbedding> => ({ data: new Float32Array(1), shape: [1, 1, 1, 1], framing, model: "disc" }),
    dispose: () => undefined,
  });
  const model = {
    name: "disc model",
    input: detectInput(VIT_B, "disc model"),
    config: { imageSize: SIZE },
    device: { description: "imagined", kind: "cpu", precision: "f32", products: "f32" },
    meaningless: false,
    async encode(source: ImageSource, { fit = "resize" }: { fit?: "pad" | "resize" } = {}) {
      const { width, height } = toRawImage(source);
      seen.encoded++;
      stop(seen.encoded);
      return embedding(frame(width, height, SIZE, fit));
    },
    restore: ({ framing }: SavedEmbedding) => embedding(framing),
    async decode({ framing }: { framing: SavedEmbedding["framing"] }, prompts: readonly Prompt[]): Promise<Decoded[]> {
      seen.prompts.push([...prompts]);
      return prompts.map(({ box: corners, points = [], maskInput }) => {
        const box = corners as Box | undefined;
        const [first] = points;
        const radius = 3 + points.length + (maskInput ? 1 : 0);
        const { logits, data } = answer(framing, box, first?.x ?? 0, first?.y ?? 0, radius);
        const masks = Array.from({ length: 3 }, () => ({ data, width: framing.width, height: framing.height }));
        return { masks, mask: masks[1] as Mask, scores: Float32Array.of(0.1, 0.9, 0.2), best: 1, logits: Float32Array.from([...logits, ...logits, ...logits]) };
      });
    },
    dispose: () => undefined,
  };
  return { loadModel: async () => model as unknown as Segmenter, seen };
}
