// The pictures of three tasks in docs/page.md, taken while tests/browser/app_tasks.large.test.ts does them with real input events on the built page.
// By hand, after npm run build: node scripts/record_tasks.mjs
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { bin, isMain, lastLines, Problem, ROOT, run, runMain, say } from "./tools.mjs";

const FOLDER = join(ROOT, "docs", "tasks");
const TEST = "tests/browser/app_tasks.large.test.ts";
/** All of them together: they come with every checkout. */
const MOST_BYTES = 1_000_000;

async function main() {
  if (!existsSync(join(ROOT, "dist", "site", "index.html"))) throw new Problem("dist/site is missing. Run: npm run build");
  rmSync(FOLDER, { recursive: true, force: true });
  const options = { env: { ...process.env, SAM_MED2D_FILM: FOLDER } };
  const { code, output } = await run(process.execPath, [bin("vitest", "vitest.mjs"), "run", "--project", "browser", TEST], options);
  if (code !== 0) throw new Problem(`${lastLines(output, 40)}\n\nThe tasks could not be done: see above.`);
  for (const line of output.split("\n").filter((text) => /^(Dice|20 lesions|5 organs|12 nuclei)/.test(text.trim()))) say(line.trim());
  const pictures = readdirSync(FOLDER).sort();
  const bytes = pictures.reduce((sum, name) => sum + statSync(join(FOLDER, name)).size, 0);
  say(`${pictures.length} pictures, ${Math.round(bytes / 1000)} kB: docs/tasks`);
  if (bytes > MOST_BYTES) throw new Problem(`They may be ${MOST_BYTES} bytes in all, got ${bytes}.`);
}

if (isMain(import.meta)) await runMain(main);
