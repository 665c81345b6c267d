// The worker's side: runs models for whoever is at the other end of the port.
import type { Embedding } from "../embedding.ts";
import { type Mask, type PackedMask, packedOf } from "../image/mask.ts";
import type { Prompt } from "../model/prompts.ts";
import type { LoadOptions } from "../sam_options.ts";
import type { DecodedAs, Output, Segmenter } from "../segmenter.ts";
import { type Calls, disposed, type FromWorker, type Method, type Port, type SentDecoded, type ToWorker, toPlain } from "./protocol.ts";

/** An embedding that was made, or why a restored one could not be: whoever uses it is told. */
type Slot = Embedding | { readonly failed: unknown };
type Call = Extract<ToWorker, { kind: "call" }>;
type Answer = { readonly result: Calls[Method]["result"]; readonly transfer?: Transferable[] };

interface Served {
  readonly model: Segmenter;
  readonly embeddings: Map<number, Slot>;
}

/** Answers the calls that come in through `port` with models made by `load`. */
export function serve(port: Port, load: (options: LoadOptions) => Promise<Segmenter>): void {
  const models = new Map<number, Served>();
  const running = new Map<number, AbortController>();

  port.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    switch (data.kind) {
      case "call":
        return void answer(data);
      case "abort":
        // The client stopped listening already, so what was made must go too.
        running.get(data.id)?.abort();
        return drop(data.id);
      case "restore":
        return restore(data);
      case "release":
        return release(models.get(data.model), data.embedding);
      case "dispose":
        return disposeModel(data.model);
    }
  });

  async function answer(call: Call): Promise<void> {
    const controller = new AbortController();
    running.set(call.id, controller);
    try {
      const { result, transfer } = await carryOut(call, controller.signal);
      if (controller.signal.aborted) drop(call.id);
      else send({ kind: "result", id: call.id, result }, transfer);
    } catch (error) {
      if (!controller.signal.aborted) send({ kind: "error", id: call.id, error: toPlain(error) });
    } finally {
      running.delete(call.id);
    }
  }

  async function carryOut(call: Call, signal: AbortSignal): Promise<Answer> {
    const onProgress: LoadOptions["onProgress"] = (progress) => send({ kind: "progress", id: call.id, progress });
    switch (call.method) {
      case "load": {
        const model = await load({ ...call.params, signal, onProgress });
        models.set(call.id, { model, embeddings: new Map() });
        const { config, name, input, device, meaningless, fingerprint } = model;
        return { result: { config, name, input, device, meaningless, fingerprint } };
      }
      case "encode": {
        const { model, embeddings } = served(call.params.model);
        const embedding = await model.encode(call.params.image, { ...call.params.options, signal, onProgress });
        if (!models.has(call.params.model)) {
          embedding.dispose();
          throw disposed("model");
        }
        embeddings.set(call.id, embedding);
        return { result: embedding.framing };
      }
      case "decode": {
        const { model, embeddings } = served(call.params.model);
        const embedding = taken(embeddings, call.params.embedding);
        const { prompts } = call.params;
        const options = { ...call.params.options, signal, onProgress };
        const result = isBatch(prompts) ? (await model.decode(embedding, prompts, options)).map(sent) : sent(await model.decode(embedding, prompts, options));
        return { result, transfer: buffersOf(result) };
      }
      case "save": {
        const result = await taken(served(call.params.model).embeddings, call.params.embedding).save();
        return { result, transfer: [result.data.buffer as ArrayBuffer] };
      }
      case "stats":
        return { result: await served(call.params.model).model.stats() };
    }
  }

  function served(id: number): Served {
    const found = models.get(id);
    if (!found) throw disposed("model");
    return found;
  }

  /** `restore` has no answer, so its failure waits for the first use. */
  function restore({ model, embedding, saved }: Extract<ToWorker, { kind: "restore" }>): void {
    const found = models.get(model);
    if (!found) return;
    try {
      found.embeddings.set(embedding, found.model.restore(saved));
    } catch (error) {
      found.embeddings.set(embedding, { failed: error });
    }
  }

  /** Lets go of whatever the call numbered `id` made: a model or an embedding. */
  function drop(id: number): void {
    disposeModel(id);
    for (const model of models.values()) release(model, id);
  }

  function disposeModel(id: number): void {
    const found = models.get(id);
    if (!found) return;
    models.delete(id);
    for (const embedding of found.embeddings.keys()) release(found, embedding);
    found.model.dispose();
  }

  function release(found: Served | undefined, id: number): void {
    const slot = found?.embeddings.get(id);
    found?.embeddings.delete(id);
    if (slot && !("failed" in slot)) slot.dispose();
  }

  function send(message: FromWorker, transfer: Transferable[] = []): void {
    port.postMessage(message, { transfer });
  }
}

function taken(embeddings: Map<number, Slot>, id: number): Embedding {
  const slot = embeddings.get(id);
  if (!slot) throw disposed("embedding");
  if ("failed" in slot) throw slot.failed;
  return slot;
}

function isBatch(prompts: Prompt | readonly Prompt[]): prompts is readonly Prompt[] {
  return Array.isArray(prompts);
}

function sent(decoded: DecodedAs[Output]): SentDecoded {
  const kept = (mask: Mask): Mask | PackedMask => packedOf(mask) ?? mask;
  if ("masks" in decoded) {
    const { mask: _, ...rest } = decoded;
    return { ...rest, masks: rest.masks.map(kept) };
  }
  if (!("mask" in decoded)) return decoded;
  const { mask, ...rest } = decoded;
  return { ...rest, kept: kept(mask) };
}

/** Moved, not copied; a set, because masks of one decode may share a buffer. */
function buffersOf(result: SentDecoded | SentDecoded[]): Transferable[] {
  const buffers = new Set<ArrayBufferLike>();
  for (const decoded of Array.isArray(result) ? result : [result]) {
    const masks = "masks" in decoded ? decoded.masks : "kept" in decoded ? [decoded.kept] : [];
    for (const mask of masks) buffers.add(("data" in mask ? mask.data : (mask.bits ?? (mask.logits as Float32Array))).buffer);
    buffers.add(decoded.scores.buffer);
    if ("logits" in decoded) buffers.add(decoded.logits.buffer);
    if ("bits" in decoded) buffers.add(decoded.bits.buffer);
  }
  return [...buffers].filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
}
