// Hours of use in minutes: prompts, images, cancels, lost devices, two models on one device, a full disk, killed workers, all by chance.
// `npm run soak` runs it for ten minutes, CI for half a one.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Embedding } from "../../src/embedding.ts";
import { SamError } from "../../src/errors.ts";
import type { Prompt } from "../../src/model/prompts.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { SamMed2DWorker } from "../../src/worker/client.ts";
import { serve } from "../../src/worker/host.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { Random } from "../checkpoint/fuzz.ts";
import { type BufferWatch, watchBuffers } from "../gpu/buffers.ts";
import { describeGpu, requestTestDevice, trackDevice } from "../support/dawn.ts";
import { until } from "../support/until.ts";

const MINUTES = Number(process.env.SOAK_MINUTES ?? 0.5);
const SEED = Number(process.env.SOAK_SEED ?? 1);
const WEIGHTS = new URL("../../weights/sam-med2d-tiny.safetensors", import.meta.url);
/** Of a whole process, once everything has been done a few times. */
const GROWTH_BYTES = 400 << 20;

interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array<ArrayBuffer>;
}

function imageOf(random: Random): Image {
  const [width, height] = [1 + random.below(500), 1 + random.below(500)];
  const channels = random.pick([1, 3, 4] as const);
  const data = new Uint8Array(width * height * channels);
  const [x, y, r] = [random.below(width), random.below(height), 5 + random.below(100)];
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / channels);
    data[i] = (Math.hypot((at % width) - x, Math.floor(at / width) - y) < r ? 180 : 60) + (Math.imul(i, 2654435761) >>> 28);
  }
  return { width, height, channels, data };
}

function promptOf(random: Random, { width, height }: { readonly width: number; readonly height: number }): Prompt {
  const points = Array.from({ length: random.below(random.chance(20) ? 200 : 8) }, () => ({
    x: random.below(width),
    y: random.below(height),
    label: random.pick([0, 1] as const),
  }));
  const box = random.chance(3) ? ([0, 0, width, height] as const) : undefined;
  return { ...(points.length > 0 || random.chance(2) ? { points } : {}), ...(box && { box }), multimask: !random.chance(4) };
}

/** Devices that the library makes, and the buffers on each. */
function watched(): { readonly device: GPUDevice; readonly buffers: BufferWatch }[] {
  const made: { readonly device: GPUDevice; readonly buffers: BufferWatch }[] = [];
  const own = navigator.gpu.requestAdapter;
  navigator.gpu.requestAdapter = async (options) => {
    const adapter = await own.call(navigator.gpu, options);
    if (!adapter) return null;
    const requestDevice = adapter.requestDevice;
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice.call(adapter, descriptor);
      made.push({ device, buffers: watchBuffers(device) });
      return device;
    };
    return adapter;
  };
  return made;
}

/** A disk with room for nothing. */
const fullDisk = {
  keys: async () => [],
  has: async () => false,
  delete: async () => false,
  match: async () => undefined,
  open: async () => ({
    match: async () => undefined,
    keys: async () => [],
    put: async () => {
      throw new DOMException("no room", "QuotaExceededError");
    },
  }),
} as unknown as CacheStorage;

class Channel extends EventTarget {
  readonly #channel = new MessageChannel();
  #model: SamMed2D | undefined;

  constructor() {
    super();
    const { port1, port2 } = this.#channel;
    serve(port2 as Port, async (options) => {
      this.#model = await SamMed2D.load(options);
      return this.#model;
    });
    port2.start();
    port1.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
  }

  postMessage(message: unknown, { transfer }: { transfer: Transferable[] }): void {
    this.#channel.port1.postMessage(message, { transfer });
  }

  kill(): void {
    this.dispatchEvent(Object.assign(new Event("error"), { message: "killed" }));
    this.#channel.port1.close();
    // A worker's memory ends with it; this one is in the same process.
    this.#model?.dispose();
  }
}

describeGpu("a soak", () => {
  it(
    `of ${MINUTES} minutes loses no prompt, leaks no buffer, grows no memory, and throws typed errors only`,
    async () => {
      const random = new Random(SEED);
      const devices = watched();
      const counts = { encodes: 0, decodes: 0, refused: 0, cancelled: 0, losses: 0, reloads: 0, "full disks": 0, "killed workers": 0 };
      const shared = trackDevice(await requestTestDevice());
      const sharedBuffers = watchBuffers(shared);
      const [one, two] = [await SamMed2D.load({ weights: WEIGHTS, device: shared }), await SamMed2D.load({ weights: WEIGHTS, device: shared })];
      let own = await SamMed2D.load({ weights: WEIGHTS });
      const file = readFileSync(WEIGHTS);
      const server = createServer(({ headers: { range } }, answer) => {
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
        if (from === undefined) return answer.setHeader("Content-Length", file.length).end(file);
        const part = file.subarray(Number(from), to ? Number(to) + 1 : file.length);
        answer.writeHead(206, { "Content-Range": `bytes ${from}-${Number(from) + part.length - 1}/${file.length}`, "Content-Length": part.length }).end(part);
      });
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
      const address = `http://127.0.0.1:${(server.address() as { port: number }).port}/tiny.safetensors`;

      // What is asked again and again, whatever happened in between.
      const known = imageOf(new Random(99));
      const asked: Prompt = { points: [{ x: Math.floor(known.width / 2), y: Math.floor(known.height / 2) }] };
      let saved = await (await one.encode(known)).save();
      const truth = await one.decode(one.restore(saved), asked);
      const sameAnswer = async (model: SamMed2D) => {
        const { logits } = await model.decode(model.restore(saved), asked);
        const apart = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - (truth.logits[i] as number))), 0);
        expect(apart).toBeLessThan(1e-3);
      };

      const kept = new Map<SamMed2D, { embedding: Embedding; image: Image }[]>();
      const attempt = async (work: () => Promise<unknown>, signal?: AbortSignal) => {
        try {
          await work();
        } catch (error) {
          if (signal?.aborted && error === signal.reason) counts.cancelled++;
          else if (error instanceof SamError) counts.refused++;
          else throw error;
        }
      };
      const step = async () => {
        const model = random.pick([one, two, own]);
        const images = kept.get(model) ?? [];
        kept.set(model, images);
        const controller = new AbortController();
        const { signal } = controller;
        const cancels = random.chance(6);
        if (cancels) setTimeout(() => controller.abort(new Error("changed my mind")), random.below(80));
        if (images.length === 0 || random.chance(4)) {
          const image = imageOf(random);
          await attempt(async () => images.push({ embedding: await model.encode(image, { signal }), image }), signal);
          counts.encodes++;
          if (images.length > 5) images.shift()?.embedding.dispose();
          return;
        }
        const { embedding, image } = random.pick(images);
        const wrong = random.chance(12);
        const prompts = Array.from({ length: random.chance(5) ? 1 + random.below(9) : 1 }, () =>
          promptOf(random, wrong ? { width: 2 * image.width + 9, height: 2 * image.height + 9 } : image),
        );
        await attempt(async () => {
          const answers = await model.decode(embedding, prompts, { signal });
          expect(answers.length).toBe(prompts.length);
          for (const { masks, best } of answers) expect(masks[best]?.data.length).toBe(image.width * image.height);
        }, signal);
        counts.decodes += prompts.length;
      };

      const end = Date.now() + MINUTES * 60_000;
      let settled = 0;
      for (let round = 0; Date.now() < end || round < 12; round++) {
        // Several at once, as an impatient hand asks.
        await Promise.all(Array.from({ length: 1 + random.below(3) }, step));
        if (round % 8 === 3) {
          devices.at(-1)?.device.destroy();
          counts.losses++;
          await sameAnswer(own);
        }
        if (round % 24 === 5) {
          const notices: string[] = [];
          globalThis.caches = fullDisk;
          const model = await SamMed2D.load({ weights: address, onProgress: ({ notice }) => notice && notices.push(notice) });
          delete (globalThis as { caches?: CacheStorage }).caches;
          await sameAnswer(model);
          model.dispose();
          counts["full disks"]++;
        }
        if (round % 24 === 7) {
          const channel = new Channel();
          const worker = await SamMed2DWorker.load(channel as unknown as Worker, { weights: WEIGHTS.href });
          const embedding = await worker.encode(known);
          saved = await embedding.save();
          const waiting = worker.decode(embedding, asked);
          channel.kill();
          await expect(waiting).rejects.toMatchObject({ name: "SamError", code: "device" });
          await expect(worker.decode(embedding, asked)).rejects.toMatchObject({ name: "SamError", code: "device" });
          // Its work goes on in another.
          await sameAnswer(own);
          counts["killed workers"]++;
        }
        if (round % 24 === 11) {
          own.dispose();
          kept.delete(own);
          own = await SamMed2D.load({ weights: WEIGHTS });
          await sameAnswer(own);
          counts.reloads++;
        }
        if (round === 40) settled = process.memoryUsage().rss;
      }
      for (const model of [one, two, own]) {
        await sameAnswer(model);
        model.dispose();
      }
      server.close();
      await shared.queue.onSubmittedWorkDone();
      const rss = process.memoryUsage().rss;
      console.log(
        `soak, ${MINUTES} min, seed ${SEED}: ${Object.entries(counts)
          .map(([what, count]) => `${count} ${what}`)
          .join(", ")}; ${devices.length} devices; memory ${(settled / 1e6).toFixed()} → ${(rss / 1e6).toFixed()} MB`,
      );
      // On every device that there was, the lost ones too.
      await until(() => expect([...devices.map(({ buffers }) => buffers), sharedBuffers].flatMap((buffers) => buffers.labels())).toEqual([]));
      if (settled > 0) expect(rss - settled).toBeLessThan(GROWTH_BYTES);
    },
    MINUTES * 60_000 + 300_000,
  );
});
