// Takes a few values out of PyTorch's goldens for the bench, which has to check itself where the goldens are not at hand.
// Run by hand when the goldens change: node scripts/bench_digest.mjs
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, ROOT, runMain, say, writeJson } from "./tools.mjs";

/** Primes: no period of a tensor's shape is hit. */
const STRIDES = { embedding: 521, logits: 97, scores: 1 };
const CASE = "box";

function openGolden(name) {
  const bytes = readFileSync(join(ROOT, "tests/goldens", `${name}.safetensors`));
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerBytes).toString("utf8"));
  const read = (tensor) => {
    const [begin, end] = header[tensor].data_offsets;
    const data = bytes.subarray(8 + headerBytes + begin, 8 + headerBytes + end);
    return Array.from({ length: data.length / 4 }, (_, i) => data.readFloatLE(4 * i));
  };
  return { read, facts: JSON.parse(header.__metadata__.description) };
}

function digest(name) {
  const { read, facts } = openGolden(name);
  const every = (values, stride) => values.filter((_, i) => i % stride === 0).map((value) => Number(value.toPrecision(8)));
  return {
    seed: facts.weights_seed,
    image: facts.image,
    box: read(`cases.${CASE}.boxes`),
    embedding: { stride: STRIDES.embedding, values: every(read("embedding"), STRIDES.embedding) },
    logits: { stride: STRIDES.logits, values: every(read(`cases.${CASE}.logits`), STRIDES.logits) },
    scores: { stride: STRIDES.scores, values: every(read(`cases.${CASE}.scores`), STRIDES.scores) },
  };
}

async function main() {
  const file = join(ROOT, "src/bench/golden.json");
  writeJson(file, { small: digest("small"), vit_b: digest("vit_b") });
  say(`${file} written`);
}

if (isMain(import.meta)) await runMain(main);
