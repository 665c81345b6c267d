// Decodes compressed pixels off the main thread, a frame at a time.
import { pixelDecoders } from "../../src/formats/codecs/index.ts";

/** A frame to decode, or one that is not wanted any more. */
export type ToWorker = { readonly id: number; readonly kind: string; readonly bytes: Uint8Array<ArrayBuffer> };

const decoders = pixelDecoders();

self.addEventListener("message", async ({ data: { id, kind, bytes } }: MessageEvent<ToWorker>) => {
  try {
    const decoded = await decoders.decode(kind, bytes);
    // A decoder's memory may be WebAssembly's own, which cannot be handed over.
    const data = decoded.data.slice();
    self.postMessage({ id, decoded: { ...decoded, data } }, { transfer: [data.buffer] });
  } catch (error) {
    self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
