// convert and quantize: a checkpoint of any kind → safetensors of another dtype, in one file or several, with a manifest.
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { type ConvertOptions, convertCheckpoint } from "../checkpoint/convert.ts";
import { checkTensors } from "../checkpoint/misfit.ts";
import { unreadError, unreadTensors, unreadWords } from "../checkpoint/unread.ts";
import { synthetic } from "../checkpoint/synthetic.ts";
import { detectConfig, VIT_B } from "../model/config.ts";
import { ADAPTER } from "../model/tensor_names.ts";
import { fetchFamily, fetchVit } from "../model/families.ts";
import { expectedTensors } from "../model/network.ts";
import type { Environment } from "./environment.ts";
import { filesMade, isOwnManifest } from "./own_manifest.ts";
import { expectFree } from "./own_mask.ts";
import { checkDestinations, Outputs } from "./outputs.ts";
import { duration, Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";
import { fileHash, filesOf, isFile, openWeights } from "./weights.ts";

export interface ConvertCommandOptions {
  readonly dtype: ConvertOptions["dtype"];
  readonly adapter?: "keep" | "drop";
  readonly names?: "reference" | "transformers";
  readonly strict?: boolean;
  readonly force?: boolean;
  /** Bytes. */
  readonly shard?: number;
}

const EXTENSION = ".safetensors";
const TAKEN = "name another output, or add --force";

export async function convert(
  input: string,
  output: string,
  { dtype, adapter = "keep", names = "reference", strict, shard, force }: ConvertCommandOptions,
  environment: Environment,
): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  if (!output.endsWith(EXTENSION)) throw new UsageError(`the output must end in ${EXTENSION}, got ${output}`);
  const name = basename(output, EXTENSION);
  const folder = dirname(output);
  const manifestPath = join(folder, `${name}.json`);
  const inputs = await filesOf(input);
  await checkDestinations({ output, manifest: manifestPath }, inputs);
  if (!force) await expectFree(manifestPath, TAKEN, isOwnManifest);

  const started = performance.now();
  const opened = await openWeights(input, signal, undefined, (notice) => terminal.notice(notice));
  await fetchVit();
  const checkpoint = typeof opened === "string" ? synthetic(Number(opened.slice("synthetic:".length)), expectedTensors(VIT_B)) : opened;
  try {
    await fetchFamily(checkpoint.tensors);
    const config = detectConfig(checkpoint.label, checkpoint.tensors, {
      metadata: checkpoint.metadata,
      refused: checkpoint.refused,
      ...(adapter === "drop" && { adapter: "off" }),
    });
    // What lacks tensors would become a file that nothing loads.
    const { unknown } = checkTensors(checkpoint, expectedTensors(config));
    // What cannot be read is refused below.
    const left = (name: string) => (adapter === "drop" && ADAPTER.test(name)) || !checkpoint.tensors.has(name);
    const unread = unreadTensors(checkpoint, unknown, left);
    if (unread.length > 0 && strict) throw unreadError(checkpoint.label, unread);
    if (unread.length > 0) terminal.notice(`the file has ${unreadWords(unread).what}: they are copied, and no command here runs them`);
    const sourceSha256 = isFile(input) ? await fileHash(input, signal) : undefined;
    const conversion = await convertCheckpoint(checkpoint, {
      dtype,
      adapter,
      names,
      name,
      config,
      signal,
      createHash: () => createHash("sha256"),
      ...(shard === undefined ? {} : { shardBytes: shard }),
      ...(sourceSha256 === undefined ? {} : { sourceSha256 }),
      onProgress: ({ loaded, total }) => terminal.progress(`Converting  ${((loaded / total) * 100).toFixed(0)} %`),
    });
    // How many files there will be is known only now; an index may not replace the one it is made from.
    for (const { name } of conversion.files) await checkDestinations({ output: join(folder, name) }, inputs);
    // Several files have names that nobody gave.
    if (conversion.files.length > 1 && !force) {
      const made = await filesMade(manifestPath);
      for (const { name } of conversion.files) await expectFree(join(folder, name), TAKEN, async (path) => (await fileHash(path, signal)) === made.get(name));
    }
    const outputs = new Outputs(signal);
    try {
      for (const file of conversion.files) await outputs.write(join(folder, file.name), file.pieces());
      // Weights that came with a promised hash are not kept unless they have it.
      await checkpoint.verify?.(signal);
      await outputs.write(manifestPath, [`${JSON.stringify(conversion.manifest(), null, 2)}\n`]);
      await outputs.commit();
    } finally {
      await outputs.discard();
    }
    const bytes = conversion.files.reduce((sum, file) => sum + file.bytes, 0);
    const files = conversion.files.length === 1 ? output : `${conversion.files.length} files beside ${output}`;
    terminal.say(`${files}: ${(bytes / 1e6).toFixed(1)} MB of ${dtype} in ${duration(performance.now() - started)}; manifest ${manifestPath}`);
  } finally {
    terminal.clear();
    await checkpoint.close();
  }
}
