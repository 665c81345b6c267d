import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Embedding, SavedEmbedding } from "../../src/embedding.ts";
import type { RawImage } from "../../src/image/image.ts";
import type { Mask } from "../../src/image/mask.ts";
import type { Prompt } from "../../src/model/prompts.ts";
import type { Decoded, EncodeOptions, ModelStats } from "../../src/segmenter.ts";
import { smallWeights } from "../cli/small_weights.ts";
import { networkFile, transformersFile } from "../model/network_file.ts";
import { type Answering, checkGolden, describeErrors } from "../model/golden_check.ts";
import { useSite } from "../support/browser.ts";
import { expectClose } from "../support/compare.ts";
import { readGolden } from "../support/goldens.ts";
import { heapGrowth } from "../support/heap.ts";
import { ROOT } from "../support/setup_file.ts";

// SwiftShader on two cores takes a minute for a full-size encode, and several on a machine that has other work.
const TIMEOUT = 900_000;

interface Loaded {
  readonly model: number;
  readonly name: string;
  readonly device: { readonly description: string; readonly kind: string };
  readonly meaningless: boolean;
  readonly stats: ModelStats;
}

/** What tests/browser/parity_page.mjs offers; arrays travel as base64. */
interface Parity {
  load(options: object): Promise<Loaded>;
  encode(model: number, image: object, options: object, kind?: string): Promise<{ embedding: number; data: string; shape: SavedEmbedding["shape"] }>;
  decode(
    model: number,
    embedding: number,
    prompts: readonly object[],
  ): Promise<{ masks: { data: string; width: number; height: number }[]; scores: string; logits: string; best: number }[]>;
  release(embedding: number): void;
  dispose(model: number): void;
  error(call: string, ...args: unknown[]): Promise<Record<string, string> | null>;
}

declare global {
  var parity: Parity;
  var parityReady: boolean | undefined;
}

/** Their encodes are of 70 GFLOP. */
const FULL_SIZE = ["lite_medsam", "mobile_sam"] as const;

const HTML = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/parity_page.js"></script>`;
const FILES = { "/parity.html": HTML, "/parity_page.js": readFileSync(join(ROOT, "tests", "browser", "parity_page.mjs"), "utf8") };
const MOUNTS = { "/dist/": join(ROOT, "dist") };

const encoded = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const floatsOf = (text: string) => new Float32Array(bytesOf(text).buffer);
const plainImage = ({ data, ...image }: RawImage) => ({ ...image, data: encoded(data) });

/** A model in the page, for the checks that models on Dawn pass too. */
class PageModel implements Answering {
  readonly #embeddings = new WeakMap<object, number>();

  constructor(
    readonly page: Page,
    readonly model: number,
  ) {}

  async encode(image: RawImage, { fit, channelOrder }: EncodeOptions, kind = "raw"): Promise<Pick<Embedding, "save" | "dispose">> {
    const options = { ...(fit ? { fit } : {}), ...(channelOrder ? { channelOrder } : {}) };
    const { embedding, data, shape } = await this.page.evaluate((...args) => globalThis.parity.encode(...args), this.model, plainImage(image), options, kind);
    const held = {
      save: async () => ({ data: floatsOf(data), shape }) as SavedEmbedding,
      dispose: () => void this.page.evaluate((id) => globalThis.parity.release(id), embedding),
    };
    this.#embeddings.set(held, embedding);
    return held;
  }

  async decode(embedding: object, prompts: readonly Prompt[]): Promise<Decoded[]> {
    const plain = prompts.map(({ maskInput, ...prompt }) => ({ ...prompt, ...(maskInput ? { maskInput: encoded(maskInput) } : {}) }));
    const answers = await this.page.evaluate((...args) => globalThis.parity.decode(...args), this.model, this.#embeddings.get(embedding) ?? -1, plain);
    return answers.map(({ masks, scores, logits, best }) => {
      const own = masks.map(({ data, ...mask }) => ({ ...mask, data: bytesOf(data) }));
      return { masks: own, mask: own[best] as Mask, scores: floatsOf(scores), logits: floatsOf(logits), best };
    });
  }
}

async function openParity(site: ReturnType<typeof useSite>) {
  const opened = await site.open("/parity.html");
  await opened.page.waitForFunction(() => globalThis.parityReady === true);
  return opened;
}

const load = (page: Page, options: object) => page.evaluate((given) => globalThis.parity.load(given), options);
const errorOf = (page: Page, ...call: Parameters<Parity["error"]>) => page.evaluate((...args) => globalThis.parity.error(...args), ...call);

describe("the built bundle in Chromium", () => {
  let folder: string;
  const mounts: Record<string, string> = { ...MOUNTS };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sam-parity-"));
    await writeFile(join(folder, "small.safetensors"), smallWeights());
    await writeFile(join(folder, "slim.safetensors"), transformersFile(readGolden("narrow_slim")));
    // As transformers saves it beside its weights.
    const processor = { do_normalize: true, do_pad: true, do_resize: true, image_mean: [0.485, 0.456, 0.406], size: { longest_edge: 1024 } };
    await writeFile(join(folder, "preprocessor_config.json"), JSON.stringify(processor));
    for (const name of FULL_SIZE) await writeFile(join(folder, `${name}.safetensors`), networkFile(readGolden(name)));
    mounts["/weights/"] = folder;
  });
  const site = useSite({ mounts, files: FILES });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    "meets PyTorch with the small network, in every case, from a file over HTTP",
    async () => {
      const { page, errors, requests, foreign } = await openParity(site);
      const golden = readGolden("small");
      const { model, device, meaningless } = await load(page, { weights: `${site.origin}/weights/small.safetensors` });
      expect(device.kind).toBe("cpu");
      expect(meaningless).toBe(false);
      const inPage = new PageModel(page, model);
      console.log(describeErrors("small in Chromium", device.description, await checkGolden(inPage, golden)));
      // What else a page has for an image is the same image.
      const { data } = await (await inPage.encode(golden.image, {})).save();
      for (const kind of ["ImageData", "ImageBitmap", "canvas", "OffscreenCanvas", "HTMLImageElement", "VideoFrame"]) {
        const other = await (await inPage.encode(golden.image, {}, kind)).save();
        expectClose(other.data, data, { label: kind, bound: 0 });
      }
      // A video's frame may have gone through YUV: a gray level or two.
      const filmed = await (await inPage.encode(golden.image, {}, "HTMLVideoElement")).save();
      expectClose(filmed.data, data, { label: "HTMLVideoElement", bound: 0.2 });
      expect(errors).toEqual([]);
      expect(foreign(site.origin)).toEqual([]);
      expect(requests.filter((url) => url.endsWith("small.safetensors")).length).toBeGreaterThan(0);
      await page.close();
    },
    TIMEOUT,
  );

  it(
    "meets PyTorch with heads of 14 and an MLP of an odd width at 1024, in transformers' names",
    async () => {
      const { page, errors } = await openParity(site);
      const { model, device, name } = await load(page, { weights: `${site.origin}/weights/slim.safetensors` });
      expect(name).toMatch(/^SAM width 28, depth 3, 1024 px/);
      const found = await checkGolden(new PageModel(page, model), readGolden("narrow_slim"), { cases: ["point"] });
      console.log(describeErrors("narrow_slim in Chromium", device.description, found));
      expect(errors).toEqual([]);
      await page.close();
    },
    TIMEOUT,
  );

  it.each(FULL_SIZE)(
    "meets PyTorch with the full-size network %s",
    async (name) => {
      const { page, errors } = await openParity(site);
      const { model, device, stats } = await load(page, { weights: `${site.origin}/weights/${name}.safetensors` });
      expect(stats.input).toBe(`${name === "lite_medsam" ? "lite-medsam" : "sam"}, from the shapes of its tensors`);
      const golden = readGolden(name);
      console.log(describeErrors(`${name} in Chromium`, device.description, await checkGolden(new PageModel(page, model), golden)));
      expect(errors).toEqual([]);
      await page.close();
    },
    TIMEOUT,
  );

  it(
    "answers bad input with typed errors and goes on working",
    async () => {
      const { page, errors } = await openParity(site);
      const golden = readGolden("small");
      const image = plainImage(golden.image);
      const { model } = await load(page, { weights: `${site.origin}/weights/small.safetensors` });
      const inPage = new PageModel(page, model);
      const embedding = await inPage.encode(golden.image, {});
      const before = await inPage.decode(embedding, [{ points: [{ x: 30, y: 27 }] }]);
      expect(await errorOf(page, "encode", model, { ...image, width: 20000 }, {})).toMatchObject({
        name: "SamError",
        code: "image",
        op: "encode",
        argument: "image",
      });
      for (const [prompt, argument] of [
        [{ points: [{ x: 96, y: 1 }] }, "points[0]"],
        [{ box: [5, 5, 5, 9] }, "box"],
        [{ maskInput: encoded(new Float32Array(100)) }, "maskInput"],
      ] as const) {
        expect(await errorOf(page, "decode", model, 0, [prompt])).toMatchObject({ name: "SamError", code: "prompt", op: "decode", argument });
      }
      expect(await errorOf(page, "load", { weights: `${site.origin}/parity.html` })).toMatchObject({ name: "SamError", code: "checkpoint" });
      expect(await errorOf(page, "load", { weights: `${site.origin}/weights/absent.safetensors` })).toMatchObject({ name: "SamError", code: "checkpoint" });
      const after = await inPage.decode(embedding, [{ points: [{ x: 30, y: 27 }] }]);
      expectClose(after[0]?.logits ?? [], before[0]?.logits ?? [], { label: "after the errors", bound: 0 });
      // The browser itself reports the missing file.
      expect(errors.filter((error) => !error.includes("404"))).toEqual([]);
      await page.close();
    },
    TIMEOUT,
  );

  it(
    "meets PyTorch with the full-size network made in the page, whose heap grows by less than 64 MB",
    async () => {
      const { page, errors, requests } = await openParity(site);
      const started = performance.now();
      const peak = await heapGrowth(page, () => load(page, { weights: "synthetic:7" }));
      const { model, name, device, stats, meaningless } = peak.result;
      console.log(
        `synthetic:7 in Chromium: loaded in ${((performance.now() - started) / 1000).toFixed(1)} s; heap +${(peak.js / 1e6).toFixed(1)} MB, array buffers +${(peak.buffers / 1e6).toFixed(1)} MB at most (${peak.samples} samples)`,
      );
      expect([name, meaningless]).toEqual(["SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters", true]);
      expect(stats.weightBytes / 1e9).toBeCloseTo(1.086, 3);
      expect(peak.samples).toBeGreaterThan(20);
      expect(peak.js).toBeLessThan(64e6);
      expect(peak.buffers).toBeLessThan(64e6);
      const golden = readGolden("vit_b");
      const errorsFound = await checkGolden(new PageModel(page, model), golden);
      console.log(describeErrors("vit_b in Chromium", device.description, errorsFound));
      expect(errors).toEqual([]);
      // Nothing was asked for but the page, the entry with its parts, and the part that this adapter needs.
      const paths = requests.map((url) => new URL(url).pathname).filter((path) => !path.startsWith("/dist/parts/") || path.endsWith("/software.js"));
      expect(paths.sort()).toEqual(["/dist/index.js", "/dist/parts/software.js", "/parity.html", "/parity_page.js"]);
      await page.close();
    },
    TIMEOUT,
  );
});

describe("the built bundle in Chromium without WebGPU", () => {
  const site = useSite({ mounts: MOUNTS, files: FILES, webgpu: "none" });

  it("says what is missing and what to do", async () => {
    const { page, errors } = await openParity(site);
    const error = await errorOf(page, "load", { weights: "synthetic:7" });
    expect(error).toMatchObject({ name: "SamError", code: "device", op: "load", argument: "device", expected: "a WebGPU device" });
    expect(error?.["remedy"]).toMatch(/Chrome|driver/);
    expect(errors).toEqual([]);
    await page.close();
  });
});
