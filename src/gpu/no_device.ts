// Why there is no device, or it is too small, and what to do: fetched where that is so.
import { SamError } from "../errors.ts";

export function noDevice(got?: string): SamError {
  const there = Boolean(globalThis.navigator?.gpu);
  return new SamError({
    code: "device",
    op: "load",
    argument: "device",
    expected: "a WebGPU device",
    got: got ?? (there ? "no adapter" : "no navigator.gpu"),
    remedy: there
      ? "WebGPU is there but finds no usable GPU: update the graphics driver, or enable hardware acceleration in the browser's settings."
      : "Use a current Chrome, Edge, Safari 26 or Firefox on a page served over https or from localhost; in Node, pass a device of the `webgpu` package.",
  });
}

/** A weight or activation that is larger than the device binds at once. */
export function noRoom(label: string, bytes: number, room: number): SamError {
  return new SamError({
    code: "device",
    op: "load",
    argument: "device",
    expected: `able to bind ${Math.ceil(bytes / 1e6)} MB at once, for ${label}`,
    got: `at most ${Math.floor(room / 1e6)} MB`,
    remedy:
      'Run the network at a smaller imageSize, load wide layers with precision "f16" or "int8", or bring a device made with a larger maxStorageBufferBindingSize.',
  });
}
