// npm run bench:baseline: measures this commit and stores it in bench/baseline.json, which later checkouts are compared with.
import { join } from "node:path";
import { BASELINE, BASELINE_SCHEMA, benchOnce } from "./bench_compare.mjs";
import { build } from "./build.mjs";
import { CACHE, isMain, Problem, ROOT, readJson, run, runMain, say, writeJson } from "./tools.mjs";

const RUNS = 20;

/** The commit that is checked out. What is measured must be what it holds. */
async function cleanCommit() {
  const { code, output } = await run("git", ["rev-parse", "HEAD"]);
  if (code !== 0) throw new Problem("This is no clone, or git is not here: a stored run names the commit it measured.");
  const changes = await run("git", ["status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)bench/baseline.json"]);
  if (changes.output.trim()) throw new Problem(`Commit these first, since the stored run names the commit it measured:\n${changes.output.trimEnd()}`);
  return output.trim();
}

/** Of a bench report what a reader compares by eye; the measuring itself is done anew on the reader's machine. */
export function baselineOf(commit, { date, package: version, adapter, environment, model, precision, runs, memory, encode, decode }) {
  const graph = ({ dispatches, submits, flop, bytes, medianMs, floorMs, kernels }) => {
    const ops = {};
    for (const { op, time } of kernels) ops[op] = Number(((ops[op] ?? 0) + time.median).toPrecision(4));
    return { dispatches, submits, flop, bytes, medianMs, floorMs, opsMs: ops };
  };
  return {
    schema: BASELINE_SCHEMA,
    version: 1,
    commit,
    date,
    package: version,
    adapter: adapter.description,
    environment,
    model: model.name,
    precision,
    runs,
    memory,
    encode: graph(encode),
    decode: graph(decode),
  };
}

async function main() {
  const commit = await cleanCommit();
  await build();
  const { env } = readJson(join(CACHE, "setup.json"), { env: {} });
  const baseline = baselineOf(commit, await benchOnce(join(ROOT, "dist/cli.js"), { env, runs: RUNS }));
  writeJson(BASELINE, baseline);
  say(`bench/baseline.json is the run of ${commit.slice(0, 12)} on ${baseline.adapter}. Commit it on main.`);
}

if (isMain(import.meta)) await runMain(main);
