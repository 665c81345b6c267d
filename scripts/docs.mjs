// npm run docs: the documentation as a site in dist/docs. The reference is made from the docstrings by TypeDoc, the rest is docs/*.md.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ENTRIES } from "./build.mjs";
import { bin, isMain, lastLines, Problem, ROOT, run, runMain, say, seconds } from "./tools.mjs";

/** Made anew each time; in docs/, where the site's pages are, and not in git. */
const REFERENCE = join(ROOT, "docs", "reference");

async function tool(name, path, args) {
  const { code, output } = await run(process.execPath, [bin(name, path), ...args]);
  if (code !== 0) throw new Problem(`${lastLines(output, 40)}\n\nThe documentation could not be built by ${name}: see above.`);
}

/** Every address within the site answers: pages, headings, pictures. VitePress itself looks at pages alone. */
function checkSite(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => name.replaceAll("\\", "/"));
  const pages = new Map(names.filter((name) => name.endsWith(".html")).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const headings = new Map([...pages].map(([name, text]) => [name, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]));
  const files = new Set(names);
  const dead = new Set();
  for (const [name, text] of pages)
    for (const [, address] of text.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(address)) continue;
      const { pathname, hash } = new URL(address.replaceAll("&amp;", "&"), `http://site/docs/${name}`);
      const path = decodeURIComponent(pathname)
        .replace(/^\/docs\//, "")
        .replace(/(^|\/)$/, "$1index.html");
      if (!files.has(path) || (hash && !headings.get(path)?.has(decodeURIComponent(hash.slice(1))))) dead.add(`${name}: ${address}`);
    }
  if (dead.size > 0) throw new Problem(`Addresses in the documentation that do not answer:\n${[...dead].join("\n")}`);
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
  checkSite(join(ROOT, "dist", "docs"));
  say(`  site in ${seconds(begun)}: dist/docs`);
}

if (isMain(import.meta)) {
  await runMain(async () => {
    say("Building dist/docs …");
    await buildDocs();
  });
}
