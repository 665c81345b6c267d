// The library's promise, checked on what was built: small, one file each, nothing to import and nothing to serve beside it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { isMain, Problem, ROOT, runMain, say } from "./tools.mjs";

/** Bytes of each file, gzipped. */
const BUDGET = 45_000;

const FILES = ["index.js", "worker.js", "client.js"];

export async function checkSize(report = say) {
  const { default: ts } = await import("typescript");
  const dist = join(ROOT, "dist");
  const wrong = [];
  for (const name of FILES.filter((file) => existsSync(join(dist, file)))) {
    const code = readFileSync(join(dist, name), "utf8");
    const gzipped = gzipSync(code, { level: 9 }).length;
    report(`  dist/${name}: ${(code.length / 1000).toFixed(1)} kB, gzipped ${(gzipped / 1000).toFixed(1)} kB of ${BUDGET / 1000} kB`);
    if (gzipped > BUDGET) wrong.push(`dist/${name} must be at most ${BUDGET} bytes gzipped, got ${gzipped}. Shorten shaders or code, or load it later.`);
    for (const { fileName } of ts.preProcessFile(code, true, true).importedFiles) {
      wrong.push(`dist/${name} must import nothing, got "${fileName}". The library has no runtime dependency and no second file.`);
    }
    if (/new URL\([^)]*import\.meta/.test(code))
      wrong.push(`dist/${name} must not use new URL(…, import.meta.url): that asset would have to be served. Inline it.`);
  }
  const allowed = new Set([...FILES, "cli.js", "site", "types"]);
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    if (!allowed.has(name)) wrong.push(`dist/${name} is an asset of the library: inline it.`);
  }
  return wrong.join("\n");
}

if (isMain(import.meta)) {
  await runMain(async () => {
    const wrong = await checkSize();
    if (wrong) throw new Problem(wrong);
  });
}
