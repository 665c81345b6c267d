// The library's promise, checked on what was built: small, no dependency, no asset to serve; what few need is fetched by those alone.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { isMain, Problem, ROOT, runMain, say } from "./tools.mjs";

/** Bytes of each entry, gzipped: what everybody gets. */
const BUDGET = 45_000;
/** Of a module that an entry fetches when it is needed. */
const PART_BUDGET = 8_000;

const ENTRIES = ["index.js", "worker.js", "client.js"];
/** `index.pth.js` is a part of `index.js`. */
const PART = /^(index|worker)\.(\w+)\.js$/;

export async function checkSize(report = say) {
  const { default: ts } = await import("typescript");
  const dist = join(ROOT, "dist");
  const files = existsSync(dist) ? readdirSync(dist) : [];
  const wrong = [];
  for (const name of files.filter((file) => ENTRIES.includes(file) || PART.test(file)).sort()) {
    const code = readFileSync(join(dist, name), "utf8");
    const gzipped = gzipSync(code, { level: 9 }).length;
    const budget = ENTRIES.includes(name) ? BUDGET : PART_BUDGET;
    report(`  dist/${name}: ${(code.length / 1000).toFixed(1)} kB, gzipped ${(gzipped / 1000).toFixed(1)} kB of ${budget / 1000} kB`);
    if (gzipped > budget) wrong.push(`dist/${name} must be at most ${budget} bytes gzipped, got ${gzipped}. Shorten shaders or code, or load it later.`);
    const [, entry] = PART.exec(name) ?? [];
    const once = [...code.matchAll(/\bimport\(\s*[`"']\.\/([\w.]+)[`"']\s*\)/g)].map(([, file]) => file);
    for (const { fileName } of ts.preProcessFile(code, true, true).importedFiles) {
      const file = fileName.replace("./", "");
      // A part uses what its entry has; an entry fetches its parts, and never at the start.
      if (entry ? file === `${entry}.js` : PART.exec(file)?.[1] === name.replace(".js", "") && once.includes(file)) continue;
      wrong.push(`dist/${name} must import nothing, got "${fileName}". The library has no runtime dependency.`);
    }
    if (/new URL\([^)]*import\.meta/.test(code))
      wrong.push(`dist/${name} must not use new URL(…, import.meta.url): that asset would have to be served. Inline it.`);
  }
  const others = new Set(["cli.js", "site", "types"]);
  for (const name of files) {
    if (!ENTRIES.includes(name) && !PART.test(name) && !others.has(name)) wrong.push(`dist/${name} is an asset of the library: inline it.`);
  }
  return wrong.join("\n");
}

if (isMain(import.meta)) {
  await runMain(async () => {
    const wrong = await checkSize();
    if (wrong) throw new Problem(wrong);
  });
}
