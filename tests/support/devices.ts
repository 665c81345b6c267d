// The devices of a test file, whose uncaptured errors fail the test that caused them. Each file has its own, where several share a process too.
import { afterAll, afterEach } from "vitest";

/** By what was wished of them (./dawn.ts). */
export const devices = new Map<string, Promise<GPUDevice>>();
const tracked = new Set<GPUDevice>();
const errors: string[] = [];

/** Lets the errors of a device the test made itself, or the library did, fail the test too, and destroys it after the file. */
export function trackDevice(device: GPUDevice): GPUDevice {
  if (tracked.has(device)) return device;
  tracked.add(device);
  device.addEventListener("uncapturederror", (event) => errors.push((event as GPUUncapturedErrorEvent).error.message));
  device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") errors.push(`device lost: ${message}`);
  });
  return device;
}

/** Takes the errors a test caused on purpose, so that they do not fail it. */
export async function expectedErrors(): Promise<string[]> {
  // Validation errors arrive with the next turn of the queue. A lost device answers with an error, already noted.
  await Promise.all([...tracked].map((device) => device.queue.onSubmittedWorkDone().catch(() => undefined)));
  return errors.splice(0);
}

/** Once for each test file (./each_file.ts). */
export function watchDevices(): void {
  afterEach(async () => {
    const found = await expectedErrors();
    if (found.length > 0) throw new Error(`uncaptured WebGPU errors:\n${found.join("\n")}`);
  });
  afterAll(async () => {
    for (const device of tracked) {
      device.destroy();
      await device.lost;
    }
    tracked.clear();
    devices.clear();
  });
}
