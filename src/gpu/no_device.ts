// Why there is no device, and what to do: fetched where there is none.
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
