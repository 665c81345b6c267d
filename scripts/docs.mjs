// npm run docs: the documentation as a site in dist/docs. The reference is made from the docstrings by TypeDoc, the rest is docs/*.md.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ENTRIES } from "./build.mjs";
import { bin, isMain, lastLines, Problem, ROOT, run, runMain, say, seconds } from "./tools.mjs";

/** Made anew each time; in docs/, where the site's pages are, and not in git. */
const REFERENCE = join(ROOT, "docs", "reference");

async function tool(name, path, args) {
  const { code, output } = await run(process.execPath, [bin(name, path), ...args]);
  if (code !== 0) throw new Problem(`${lastLines(output, 40)}\n\nThe documentation could not be built by ${name}: see above.`);
}

export async function buildDocs() {
  rmSync(REFERENCE, { recursive: true, force: true });
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  const start = performance.now();
  // The worker's script exports nothing.
  const entries = Object.entries(ENTRIES).filter(([name, path]) => name !== "worker" && existsSync(join(ROOT, path)));
  await tool("typedoc", "bin/typedoc", [
    ...entries.flatMap(([, path]) => ["--entryPoints", path]),
    ...["--plugin", "typedoc-plugin-markdown", "--plugin", "typedoc-vitepress-theme", "--docsRoot", "docs", "--out", REFERENCE],
    ...[
      "--tsconfig",
      "build/tsconfig.declarations.json",
      "--skipErrorChecking",
      "--readme",
      "none",
      "--disableSources",
      "--excludeInternal",
      "--excludePrivate",
      "--hideBreadcrumbs",
      "--logLevel",
      "Error",
    ],
  ]);
  say(`  reference in ${seconds(start)}`);
  const begun = performance.now();
  await tool("vitepress", "bin/vitepress.js", ["build", "docs"]);
  say(`  site in ${seconds(begun)}: dist/docs`);
}

if (isMain(import.meta)) {
  await runMain(async () => {
    say("Building dist/docs …");
    await buildDocs();
  });
}
