// npm run fuzz: ten times the mutated inputs that npm test tries: images, volumes, archives, datasets, prompt files, results and checkpoints.
// npm run fuzz -- FILTER… runs only the files whose path contains a filter; --times N tries N times what npm test does.
import { bin, isMain, Problem, run, runMain, say } from "./tools.mjs";

async function main() {
  const args = process.argv.slice(2);
  const at = args.indexOf("--times");
  const times = at < 0 ? 10 : Number(args[at + 1]);
  if (!(times > 0)) throw new Problem(`--times must be a number above 0, got ${args[at + 1]}`);
  const filters = args.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
  const { code } = await run(
    process.execPath,
    [bin("vitest", "vitest.mjs"), "run", "--project", "node", "--project", "device", "--project", "plain", ...(filters.length > 0 ? filters : ["fuzz"])],
    {
      show: true,
      env: { ...process.env, NODE_ENV: "test", FUZZ_TIMES: String(times) },
    },
  );
  if (code !== 0) throw new Problem("an input broke something: its seed and case are above, and make it again");
  say("nothing hung, nothing grew, every error was a typed one");
}

if (isMain(import.meta)) await runMain(main);
