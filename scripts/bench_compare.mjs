// Is this checkout slower than main? The commit of main's stored run (bench/baseline.json) is built beside it, and both benches
// run in turn on this machine: A B, B A, … Warns at 10 %, fails at 25 % beyond the noise. A step of npm test; node scripts/bench_compare.mjs runs it alone.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, buildCli } from "./build.mjs";
import { compareRuns, confirmed, FAIL, tableText, WARN } from "./bench_verdict.mjs";
import { CACHE, isMain, lastLines, Problem, ROOT, readJson, run, runMain, say, seconds } from "./tools.mjs";

export const BASELINE = join(ROOT, "bench/baseline.json");
export const BASELINE_SCHEMA = "sam-med2d-bench-baseline";
const FOLDER = join(CACHE, "baseline");
/** The network that a software adapter runs in a tenth of a second. */
export const CONFIG = ["--config", "small"];
const RUNS = 5;
/** Pairs at least, at most, and seconds after which no pair more is begun. */
const FIRST = { least: 3, most: 7, budget: 45 };
/** When something looks slower: longer, so that it is the code that fails and not the machine. */
const AGAIN = { least: 5, most: 14, budget: 90 };
/** Nothing of these reaches the command line. */
const LEFT_OUT = ["tests", "weights", "app", "docs"];

/** Gives the bundled command line of `commit`, or in words why there is none. */
async function buildCommit(commit) {
  const out = join(FOLDER, commit);
  const cli = join(out, "dist/cli.js");
  if (existsSync(cli)) return { cli };
  const known = await run("git", ["cat-file", "-e", `${commit}^{commit}`]);
  if (known.code === 127) return { why: "git is not here" };
  if (known.code !== 0) return { why: "this clone's history does not have it (a shallow clone, or no clone at all)" };
  rmSync(FOLDER, { recursive: true, force: true });
  // Below the root, so that the packages are those of this checkout.
  const work = `${out}.new`;
  mkdirSync(work, { recursive: true });
  const archive = join(FOLDER, "commit.tar");
  const packed = await run("git", ["archive", "--format=tar", "-o", archive, commit, ".", ...LEFT_OUT.map((path) => `:(exclude)${path}`)]);
  if (packed.code !== 0) return { why: `git could not take it out: ${lastLines(packed.output, 3)}` };
  const unpacked = await run("tar", ["-xf", archive, "-C", work]);
  rmSync(archive, { force: true });
  if (unpacked.code !== 0) return { why: `tar could not unpack it: ${lastLines(unpacked.output, 3)}` };
  try {
    await buildCli(await import("vite"), join(work, "dist"), work);
  } catch (error) {
    return { why: `it does not build with the packages of this checkout: ${lastLines(error?.message ?? `${error}`, 5)}` };
  }
  renameSync(work, out);
  return { cli };
}

/** What runs, without the paths of modules that the bundler writes between them. */
function code(cli) {
  return readFileSync(cli, "utf8").replace(/^\/\/ \S+$/gm, "");
}

/** One bench run in a process of its own; `runs` of each measurement. */
export async function benchOnce(cli, { env, runs = RUNS }) {
  const json = join(CACHE, `bench_${process.pid}.json`);
  const { code, output } = await run(process.execPath, [cli, "bench", ...CONFIG, "--runs", String(runs), "--json", json], { env: { ...process.env, ...env } });
  const report = readJson(json);
  rmSync(json, { force: true });
  if (code !== 0 || !report) throw new Problem(`${lastLines(output, 20)}\n\n${cli.slice(ROOT.length + 1)} bench ended with ${code}: see above.`);
  return report;
}

/** The order changes from pair to pair: a machine that grows slower meets both alike. */
async function measurePairs({ least, most, budget }, before, now, env) {
  const start = performance.now();
  const pairs = [];
  while (pairs.length < least || (pairs.length < most && performance.now() - start < 1000 * budget)) {
    const pair = {};
    const order = pairs.length % 2 === 0 ? ["before", "now"] : ["now", "before"];
    for (const side of order) pair[side] = await benchOnce(side === "before" ? before : now, { env });
    pairs.push(pair);
  }
  say(`  ${pairs.length} pairs in ${seconds(start)}, ${pairs[0].now.adapter.description}`);
  return pairs;
}

function stored(baseline) {
  const graph = (name) => `${name} ${baseline[name].medianMs.toPrecision(3)} ms in ${baseline[name].dispatches} dispatches`;
  return `main's stored run: ${baseline.commit.slice(0, 12)}, ${baseline.date.slice(0, 10)}, ${graph("encode")}, ${graph("decode")}, on ${baseline.adapter}`;
}

/** Gives "" or what is slower. `env` is what Dawn needs to find the adapter, `now` this checkout's bundled command line. */
export async function compareWithMain({ env = {}, now = join(ROOT, "dist/cli.js"), file = BASELINE } = {}) {
  const pass = (words) => {
    say(`  Not compared: ${words}.`);
    return "";
  };
  if (!existsSync(file)) return pass("main has no stored run yet (bench/baseline.json); npm run bench:baseline writes it");
  const baseline = readJson(file);
  if (baseline?.schema !== BASELINE_SCHEMA || !/^[0-9a-f]{40}$/.test(baseline.commit ?? ""))
    return `${file.slice(ROOT.length + 1)} is no stored run: write it anew with npm run bench:baseline`;
  say(`  ${stored(baseline)}`);
  const { cli: before, why } = await buildCommit(baseline.commit);
  if (!before) return pass(`the stored run's commit ${baseline.commit.slice(0, 12)} cannot be measured here: ${why}`);
  if (code(before) === code(now)) return pass("the code that would run is the same in every byte");
  const pairs = await measurePairs(FIRST, before, now, env);
  const first = compareRuns(pairs);
  say(tableText(first.rows));
  for (const note of first.notes) say(`  ${note}`);
  if (!first.rows.some(({ verdict }) => verdict === "fail")) return warn(first.rows);
  say(`  Something looks slower by ${100 * FAIL} % or more: measured again, longer; all pairs together give:`);
  const more = await measurePairs(AGAIN, before, now, env);
  const all = compareRuns([...pairs, ...more]);
  say(tableText(all.rows));
  const slower = confirmed(all.rows, compareRuns(more).rows);
  if (slower.length === 0) return warn(all.rows);
  return `Slower than main by ${100 * FAIL} % or more beyond the noise: ${slower.join(", ")}. Where that is meant, npm run bench:baseline on main stores the new times.`;
}

function warn(rows) {
  const slower = rows.filter(({ verdict }) => verdict === "warn" || verdict === "fail").map(({ name }) => name);
  if (slower.length > 0) say(`  Warning: slower than main by ${100 * WARN} % or more beyond the noise: ${slower.join(", ")}`);
  return "";
}

async function main() {
  await build();
  const { env } = readJson(join(CACHE, "setup.json"), { env: {} });
  const wrong = await compareWithMain({ env });
  if (wrong) throw new Problem(wrong);
}

if (isMain(import.meta)) await runMain(main);
