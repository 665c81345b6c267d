// Runs in the browser that scripts/bench_peers.mjs starts: this library, onnxruntime-web and transformers.js on the same weights, image and box.
// Never part of the bench page, nor of anything that is built.

const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

/** Dispatches and submits as the browser sees them, whoever makes them. */
function countCalls() {
  const counts = { dispatches: 0, submits: 0 };
  const wrap = (prototype, method, name) => {
    const original = prototype[method];
    prototype[method] = function (...args) {
      counts[name]++;
      return original.apply(this, args);
    };
  };
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroups", "dispatches");
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", "dispatches");
  wrap(GPUQueue.prototype, "submit", "submits");
  return counts;
}

async function ours(facts) {
  const library = "/dist/index.js";
  const { SamMed2D } = await import(library);
  const model = await SamMed2D.load({ weights: await bytes("/peers/weights.safetensors"), input: facts.input, imageSize: facts.size });
  const image = { data: await bytes("/peers/pixels.rgb"), width: facts.width, height: facts.height, channels: 3 };
  let embedding;
  return {
    name: "sam-med2d-webgpu",
    encode: async () => {
      embedding = await model.encode(image);
    },
    decode: async () => {
      const { logits, scores } = await model.decode(embedding, { box: facts.box, multimask: true });
      return { logits, scores };
    },
    embedding: () => embedding.save(),
    close: async () => model.dispose(),
  };
}

/** Its entries `/webgpu`, which its documentation names for that, and `/all`, whose WebGPU provider is another and older one, in JavaScript. */
const ENTRIES = { webgpu: "/ort/ort.webgpu.bundle.min.mjs", jsep: "/ort/ort.all.bundle.min.mjs", wasm: "/ort/ort.all.bundle.min.mjs" };

/** `given`: an embedding that the decoder is fed in place of its own encoder's. */
async function onnx(facts, provider, threads, { only, given }) {
  // By a name in a variable: it is no module of this project, and the checks look for those.
  const library = ENTRIES[provider];
  const ort = await import(library);
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.wasm.numThreads = threads;
  const options = { executionProviders: [provider === "jsep" ? "webgpu" : provider] };
  const session = async (file) => await ort.InferenceSession.create(await bytes(file), options);
  const encoder = only === "decode" ? undefined : await session("/peers/encoder.onnx");
  const decoder = only === "encode" ? undefined : await session("/peers/decoder.onnx");
  const floats = new Float32Array((await bytes("/peers/image.f32")).buffer);
  const image = new ort.Tensor("float32", floats, [1, 3, facts.size, facts.size]);
  const boxes = new ort.Tensor("float32", Float32Array.from(facts.modelBox), [1, 4]);
  let embedding;
  return {
    name: `onnxruntime-web ${ort.env.versions?.web ?? ""}, ${provider}`,
    encode: async () => {
      embedding = encoder ? (await encoder.run({ image })).embedding : new ort.Tensor("float32", given.data, given.shape);
    },
    decode: async () => {
      const { logits, scores } = await decoder.run({ embedding, boxes });
      return { logits: logits.data, scores: scores.data };
    },
    embedding: () => embedding,
    close: async () => {
      await encoder?.release();
      await decoder?.release();
    },
  };
}

async function transformersJs(facts, provider, threads) {
  const library = "/transformers/transformers.min.js";
  const { SamModel, Tensor, env } = await import(library);
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: "/", useBrowserCache: false });
  Object.assign(env.backends.onnx.wasm, { wasmPaths: "/transformers-ort/", numThreads: threads });
  const model = await SamModel.from_pretrained("sam", { device: provider, dtype: "fp32" });
  const floats = new Float32Array((await bytes("/peers/image.f32")).buffer);
  const pixel_values = new Tensor("float32", floats, [1, 3, facts.size, facts.size]);
  // The corners of the box: this export takes them as such.
  const input_points = new Tensor("float32", Float32Array.from(facts.modelBox), [1, 1, 2, 2]);
  const input_labels = new Tensor("int64", BigInt64Array.from([2n, 3n]), [1, 1, 2]);
  let embedding;
  return {
    name: `transformers.js ${env.version}, ${provider}`,
    encode: async () => {
      embedding = await model.get_image_embeddings({ pixel_values });
    },
    decode: async () => {
      const { pred_masks, iou_scores } = await model({ ...embedding, input_points, input_labels });
      return { logits: pred_masks.data, scores: iou_scores.data };
    },
    embedding: () => embedding.image_embeddings,
    close: async () => {
      await model.dispose();
    },
  };
}

const OTHERS = { onnxruntime: onnx, transformers: transformersJs };

function largestDifference(a, b) {
  return a.length === b.length ? a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) : Number.POSITIVE_INFINITY;
}

/** Decodes of each encode: they are short, and one alone says little. */
const DECODES = 5;

async function adapterName() {
  const { info } = (await navigator.gpu?.requestAdapter()) ?? {};
  return info ? info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(" ") : "none";
}

/** Times of `call`: its milliseconds by the clock, and by the processors where the browser's processes are counted (an adapter made of software computes there). */
async function timed(call) {
  const before = await window.processorSeconds();
  const started = performance.now();
  await call();
  const ms = performance.now() - started;
  return { ms, processorMs: before === null ? undefined : 1000 * ((await window.processorSeconds()) - before) };
}

/**
 * Rounds of every peer in turn, so that what else the machine does meets all of them alike; without rounds each peer's first encode, its pipelines made in it,
 * and one decode. `only` "decode": everybody decodes this library's embedding; "encode": embeddings are compared, nothing is decoded.
 * `console.info` tells how far it is.
 */
export async function comparePeers({ runs, peers: wanted, threads, only }) {
  const counts = countCalls();
  const adapter = await adapterName();
  const facts = await (await fetch("/peers/peers.json")).json();
  const peers = [];
  const failed = [];
  const given = async () => (only === "decode" ? await peers[0].embedding() : undefined);
  const makers = wanted.map(({ library, provider }) => [
    `${library}, ${provider}`,
    async () => OTHERS[library](facts, provider, threads, { only, given: await given() }),
  ]);
  for (const [name, make] of [["sam-med2d-webgpu", () => ours(facts)], ...makers]) {
    try {
      console.info(`Opening ${name}, and its first encode`);
      const started = performance.now();
      const peer = await make();
      Object.assign(counts, { dispatches: 0, submits: 0 });
      const firstEncode = await timed(peer.encode);
      const calls = { first: { ...counts } };
      const first = only === "encode" ? { embedding: (await peer.embedding()).data } : await peer.decode();
      console.info(`${peer.name}: first encode ${(firstEncode.ms / 1000).toFixed(1)} s, on processors ${((firstEncode.processorMs ?? 0) / 1000).toFixed(1)} s`);
      peers.push({ ...peer, first, firstMs: performance.now() - started, times: { first: [firstEncode], encode: [], decode: [] }, counts: calls });
    } catch (error) {
      failed.push({ name, error: String(error?.message ?? error).slice(0, 300) });
    }
  }
  const [reference] = peers;
  for (const peer of peers.slice(1)) {
    peer.parity = Object.fromEntries(Object.entries(reference.first).map(([what, values]) => [what, largestDifference(peer.first[what], values)]));
    // Two exports of one network in f32: more than this apart, it is not the same network that is run.
    if (Object.values(peer.parity).every((difference) => difference < 1e-3)) continue;
    const [{ ms, processorMs = 0 }] = peer.times.first;
    const took = `${(ms / 1000).toFixed(1)} s, on processors ${(processorMs / 1000).toFixed(1)} s`;
    failed.push({ name: peer.name, error: `its first encode took ${took} and gives something else, ${JSON.stringify(peer.parity)} from ours` });
    peers.splice(peers.indexOf(peer), 1);
  }
  const encodes = runs > 0 && only !== "decode" ? 1 : 0;
  const decodes = only === "encode" ? 0 : runs > 0 ? DECODES : 1;
  for (let run = 0; run < Math.max(runs, 1); run++) {
    console.info(`Round ${run + 1} of ${Math.max(runs, 1)}`);
    for (const step of [...Array(encodes).fill("encode"), ...Array(decodes).fill("decode")]) {
      for (const peer of peers) {
        Object.assign(counts, { dispatches: 0, submits: 0 });
        peer.times[step].push(await timed(peer[step]));
        peer.counts[step] = { ...counts };
      }
    }
  }
  for (const peer of peers) await peer.close();
  return {
    facts,
    adapter,
    threads,
    agent: navigator.userAgent,
    isolated: crossOriginIsolated,
    failed,
    peers: peers.map(({ name, firstMs, times, counts: calls, parity }) => ({
      name,
      firstMs,
      times,
      counts: calls,
      parity,
    })),
  };
}
