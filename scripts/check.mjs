// The checks that run no test: types, lint and format, import direction, file lengths. `npm run check` runs them all.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkDocs } from "./check_docs.mjs";
import { bin, isMain, Problem, ROOT, run, runMain, say, seconds } from "./tools.mjs";

/** Lines at most. The first rule that matches counts. */
const LENGTHS = [
  { path: /^shaders\/.*\.wgsl$/, lines: 150 },
  { path: /^src\/ops\/.*\.ts$/, lines: 120 },
  { path: /^(src|app|bench|tests|build|scripts)\/.*\.(tsx?|mjs|css|html|py)$/, lines: 400 },
];

const FOLDERS = ["src", "app", "bench", "tests", "build", "scripts", "shaders"];

async function tool(packageName, path, args) {
  const { code, output } = await run(process.execPath, [bin(packageName, path), ...args]);
  return code === 0 ? "" : output;
}

export function checkTypes() {
  return tool("typescript-7", "bin/tsc", ["--noEmit", "--pretty", "false"]);
}

export function checkLint() {
  return tool("@biomejs/biome", "bin/biome", ["check", "--colors=off", "--max-diagnostics=40", "."]);
}

export function checkImports() {
  const folders = ["src", "app", "bench"].filter((folder) => existsSync(join(ROOT, folder)));
  return tool("dependency-cruiser", "bin/dependency-cruise.mjs", ["--config", ".dependency-cruiser.cjs", "--output-type", "err-long", ...folders]);
}

export function checkLengths() {
  const complaints = [];
  for (const folder of FOLDERS.filter((name) => existsSync(join(ROOT, name)))) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(ROOT.length + 1).replaceAll("\\", "/");
      const rule = LENGTHS.find((candidate) => candidate.path.test(name));
      if (!rule) continue;
      const lines = readFileSync(path, "utf8").trimEnd().split("\n").length;
      if (lines > rule.lines) complaints.push(`${name}: ${lines} lines, at most ${rule.lines}`);
    }
  }
  return complaints.join("\n");
}

/** Each gives "" or what is wrong. */
export const CHECKS = [
  { title: "Types (tsc)", check: checkTypes },
  { title: "Lint and format (biome)", check: checkLint },
  { title: "Import direction (dependency-cruiser)", check: checkImports },
  { title: "File lengths", check: checkLengths },
  { title: "What the documentation refers to", check: checkDocs },
];

async function main() {
  let failed = 0;
  for (const { title, check } of CHECKS) {
    const start = performance.now();
    const wrong = await check();
    if (wrong) failed++;
    say(`${wrong ? "✗" : "✓"} ${title} (${seconds(start)})`);
    if (wrong) say(`${wrong}\n`);
  }
  if (failed) throw new Problem(`${failed} of ${CHECKS.length} checks failed. Format files with: npm run format -- PATHS`);
}

if (isMain(import.meta)) await runMain(main);
