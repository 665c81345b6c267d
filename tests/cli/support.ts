// The command line in this process, with a model of our own: options, errors and files without a GPU.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll } from "vitest";
import type { Environment, ModelOptions } from "../../src/cli/environment.ts";
import { run } from "../../src/cli/program.ts";
import { frame, type ImageSource, type RawImage, toRawImage } from "../../src/image/image.ts";
import type { Mask } from "../../src/image/mask.ts";
import type { Decoded, Prompt, Segmenter } from "../../src/index.ts";
import { detectInput } from "../../src/model/input.ts";
import { VIT_B } from "../../src/model/config.ts";
import { proceduralImage } from "../image/procedural.ts";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function cli(args: readonly string[], given: Partial<Environment> = {}): Promise<Result> {
  const out = { stdout: "", stderr: "" };
  const collect = (name: keyof typeof out) => ({ write: (text: string) => (out[name] += text) });
  const environment: Environment = {
    stdout: collect("stdout"),
    stderr: collect("stderr"),
    signal: new AbortController().signal,
    debug: false,
    loadModel: async () => {
      throw new Error("the model must not be loaded");
    },
    ...given,
  };
  return run(args, environment).then((code) => ({ code, ...out }));
}

/** A folder of its own for each test file, and what is in it. */
export function useFolder(): { readonly path: string; file(name: string): string; names(): Promise<string[]> } {
  let path = "";
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), "sam_med2d_cli_"));
  });
  afterAll(() => rm(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
    file: (name) => join(path, name),
    names: async () => (await readdir(path)).sort(),
  };
}

export async function writePng(path: string, image: RawImage): Promise<void> {
  const { data, width, height, channels } = image;
  await sharp(data, { raw: { width, height, channels: channels as 1 | 3 | 4 } })
    .png()
    .toFile(path);
}

export async function writeSample(path: string, width = 30, height = 20): Promise<void> {
  await writePng(path, proceduralImage(width, height, 1));
}

/** A PNG whose header declares `width` × `height` and that has no pixels. */
export async function writePngHeader(path: string, width: number, height: number): Promise<void> {
  const png = await sharp({ create: { width: 1, height: 1, channels: 3, background: "black" } })
    .png()
    .toBuffer();
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  await writeFile(path, png);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

export interface Calls {
  readonly load: ModelOptions[];
  readonly encode: { readonly image: RawImage; readonly options: unknown }[];
  readonly decode: Prompt[];
  disposed: number;
}

/** Candidate 1 is best: the left half of the image, or nothing when `empty`. */
export function fakeModel({ meaningless = false, empty = false, side = 64 } = {}): { readonly loadModel: Environment["loadModel"]; readonly calls: Calls } {
  const calls: Calls = { load: [], encode: [], decode: [], disposed: 0 };
  const model = {
    name: "SAM-Med2D test",
    config: VIT_B,
    input: detectInput(VIT_B, "test"),
    device: { description: "an imagined device", vendor: "", architecture: "", kind: "cpu", precision: "f32", products: "f32" },
    meaningless,
    async encode(source: ImageSource, options: unknown) {
      const image = toRawImage(source);
      calls.encode.push({ image, options });
      const framing = frame(image.width, image.height, 256, "resize");
      return {
        framing,
        save: async () => ({ data: new Float32Array(256 * 4).fill(0.5), shape: [1, 256, 2, 2] as const, framing, model: "test" }),
        dispose: () => {
          calls.disposed++;
        },
      };
    },
    async decode({ framing: { width, height } }: { framing: { width: number; height: number } }, prompt: Prompt): Promise<Decoded> {
      calls.decode.push(prompt);
      const candidates = prompt.multimask === false ? 1 : 3;
      const mask = (inside: (x: number) => boolean): Mask => ({
        width,
        height,
        data: Uint8Array.from({ length: width * height }, (_, i) => (inside(i % width) ? 1 : 0)),
      });
      const masks = Array.from({ length: candidates }, () => mask((x) => !empty && x < width / 2));
      const scores = candidates === 1 ? Float32Array.of(0.75) : Float32Array.of(0.25, 0.75, 0.5);
      const best = candidates === 1 ? 0 : 1;
      return { masks, mask: masks[best] as Mask, scores, best, logits: Float32Array.from({ length: candidates * side * side }, (_, i) => i) };
    },
    dispose: () => {
      calls.disposed++;
    },
  };
  return {
    calls,
    loadModel: async (options) => {
      calls.load.push(options);
      return model as unknown as Segmenter;
    },
  };
}
