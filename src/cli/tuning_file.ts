// The tuner's choices in a file of the cache folder, one for each adapter.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cacheFolder } from "../bytes/node_source.ts";
import { parseChoices, type TuningStore } from "../tuning.ts";

/** Dawn compiles the kernels: another version of it is another compiler. */
function dawnVersion(): string {
  try {
    const require = createRequire(import.meta.url);
    return (JSON.parse(readFileSync(join(dirname(require.resolve("webgpu")), "package.json"), "utf8")) as { version?: string }).version ?? "";
  } catch {
    return "";
  }
}

const fileOf = (adapter: string) =>
  join(cacheFolder(), `tuning-${createHash("sha256").update(`${adapter} | Dawn ${dawnVersion()}`).digest("hex").slice(0, 16)}.json`);

export const tuningFile: TuningStore = {
  async read(adapter) {
    return parseChoices(await readFile(fileOf(adapter), "utf8").catch(() => ""));
  },
  async write(adapter, choices) {
    try {
      await mkdir(cacheFolder(), { recursive: true });
      await writeFile(fileOf(adapter), `${JSON.stringify(choices, null, 2)}\n`);
    } catch {
      // A cache folder that can't be written to: tuned again the next time.
    }
  },
};
