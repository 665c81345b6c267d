// What `preprocessor_config.json`, which transformers saves beside a model, says of how images are brought in: fetched where the tensors leave it open.
import type { InputName } from "../image/input.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";

/** Bytes: it is a page long. */
const MOST = 1 << 16;

interface Processor {
  readonly do_normalize?: unknown;
  readonly do_pad?: unknown;
  readonly size?: unknown;
}

/** Undefined where there is none, or it tells nothing. */
export async function inputBeside(checkpoint: Checkpoint, signal?: AbortSignal): Promise<InputName | undefined> {
  const source = await checkpoint.openBeside?.("preprocessor_config.json").catch(() => undefined);
  if (!source) return undefined;
  try {
    return inputSaid(JSON.parse(new TextDecoder().decode(await source.read(0, Math.min(source.size, MOST), signal))));
  } catch {
    signal?.throwIfAborted();
    return undefined;
  } finally {
    await source.close();
  }
}

/** SAM's normalises by mean and deviation and fits the long side; without either the image was stretched and scaled by its own range. */
export function inputSaid(processor: unknown): InputName | undefined {
  if (typeof processor !== "object" || processor === null || !("do_normalize" in processor)) return undefined;
  const { do_normalize: normalises, size, do_pad: pads } = processor as Processor;
  const stretched = typeof size === "object" && size !== null && "height" in size && !("longest_edge" in size);
  if (normalises === false) return "medsam";
  return normalises === true && !stretched && pads !== false ? "sam" : undefined;
}
