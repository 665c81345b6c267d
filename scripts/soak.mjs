// npm run soak: ten minutes of use by chance, half of the library in Node (tests/soak), half of the page in Chromium (tests/browser/soak).
// --minutes N for another length, --seed N for other chances.
import { build } from "./build.mjs";
import { setup } from "./setup.mjs";
import { bin, isMain, Problem, run, runMain, say } from "./tools.mjs";

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (!(value > 0)) throw new Problem(`--${name} must be a number above 0, got ${process.argv[at + 1]}`);
  return value;
}

async function main() {
  const [minutes, seed] = [option("minutes", 10), option("seed", 1)];
  const { env } = await setup();
  await build();
  const told = { NODE_ENV: "test", SAM_MED2D_QUICK: "", SOAK_MINUTES: String(minutes / 2), SOAK_SEED: String(seed) };
  let failed = false;
  for (const [project, tests] of Object.entries({ node: "tests/soak", browser: "tests/browser/soak" })) {
    const { code } = await run(process.execPath, [bin("vitest", "vitest.mjs"), "run", "--project", project, tests], {
      show: true,
      env: { ...process.env, ...env, ...told },
    });
    failed ||= code !== 0;
  }
  if (failed) throw new Problem(`something was lost, leaked or untyped: seed ${seed} makes it again`);
  say("nothing was lost, nothing leaked, every error was a typed one");
}

if (isMain(import.meta)) await runMain(main);
