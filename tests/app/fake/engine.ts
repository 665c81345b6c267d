// The built page on its real engine: a small network's file, and a worker that lets its devices be watched.
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page, WebWorker } from "puppeteer";
import { safetensorsHeader } from "../../../src/checkpoint/safetensors_writer.ts";
import { fill } from "../../../src/checkpoint/synthetic.ts";
import { elements } from "../../../src/graph/tensor.ts";
import { type Config, VIT_B } from "../../../src/model/config.ts";
import { expectedTensors } from "../../../src/model/network.ts";
import { ROOT } from "../../support/setup_file.ts";

/** Two narrow blocks: loads in seconds on a software device. */
const SMALL: Config = { ...VIT_B, width: 64, depth: 2, heads: 2, mlpWidth: 128, globalBlocks: [1], tableLengths: [27, 31] };

export async function writeSmallNetwork(path: string): Promise<void> {
  const tensors = [...expectedTensors(SMALL)].map(({ name, shape }) => ({ name, shape, dtype: "F32" as const }));
  const bodies = tensors.map(({ name, shape }) => fill(name, shape, 7, 0, elements(shape)));
  await writeFile(path, [safetensorsHeader(tensors), ...bodies.map((body) => new Uint8Array(body.buffer))]);
}

declare global {
  var latestDevice: GPUDevice | undefined;
  var devices: number | undefined;
  /** Buffers that live, of each device in the order they were made. */
  var liveBuffers: Set<GPUBuffer>[] | undefined;
}

/** Runs in the worker: counts the devices it is given and their buffers, and keeps the last device. */
function watchDevices(): void {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    const live = new Set<GPUBuffer>();
    const make = device.createBuffer;
    device.createBuffer = (described) => {
      const buffer = make.call(device, described);
      const { destroy } = buffer;
      live.add(buffer);
      buffer.destroy = () => {
        live.delete(buffer);
        return destroy.call(buffer);
      };
      return buffer;
    };
    globalThis.liveBuffers = [...(globalThis.liveBuffers ?? []), live];
    Object.assign(globalThis, { latestDevice: device, devices: (globalThis.devices ?? 0) + 1 });
    return device;
  };
}

/** The built worker with that, and what else is to run there, in front: hooking a running one from outside comes before its scope is ready, or after it has a device. */
export function watchedWorker(besides?: () => void): Record<string, string> {
  const assets = join(ROOT, "dist", "site", "assets");
  const name = readdirSync(assets).find((entry) => /^worker-.*\.js$/.test(entry)) as string;
  const before = besides ? `(${besides})();` : "";
  return { [`/assets/${name}`]: `(${watchDevices})();${before}${readFileSync(join(assets, name), "utf8")}` };
}

export function modelWorker(page: Page): WebWorker | undefined {
  return page
    .workers()
    .filter((known) => /\/worker-/.test(known.url()) && !/samples/.test(known.url()))
    .at(-1);
}

/** What nobody catches in a worker ends it. */
export async function killWorker(page: Page): Promise<void> {
  await modelWorker(page)?.evaluate(() => {
    setTimeout(() => {
      throw new Error("the worker is gone");
    });
  });
}
