// The checks of the test suite that need a device, on a machine that has nothing but this bundle: networks against PyTorch's goldens, kernels against
// their CPU twins. Each file runs in a process of its own, several at a time; none outlives its time, and what is known is written after every test.
//   node checks.js --json FILE [--seconds N] [--jobs N] [--only PART OF A FILE'S NAME]
import { fork } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fetchFamily, fetchVit, TINY_VIT_TENSOR } from "../../src/model/families.ts";
import { watchDevices } from "../support/devices.ts";
import { type Outcome, runFile } from "./run_file.ts";

const FILES = import.meta.glob([
  "../model/{goldens,precision,stages}.test.ts",
  "../model/{vit_b,vit_b_sides,tiny_vit}.large.test.ts",
  "../ops/*.test.ts",
]) as Readonly<Record<string, () => Promise<unknown>>>;
const nameOf = (path: string) => path.replace("../", "").replace(".test.ts", "");

const { values } = parseArgs({
  options: {
    json: { type: "string", default: "parity.json" },
    seconds: { type: "string", default: "240" },
    jobs: { type: "string", default: String(Math.max(1, Math.min(6, availableParallelism() >> 1))) },
    only: { type: "string", default: "" },
    file: { type: "string" },
  },
});

async function child(file: string): Promise<void> {
  const load = Object.entries(FILES).find(([path]) => nameOf(path) === file)?.[1];
  if (!load) throw new Error(`no test file ${file}`);
  // As tests/support/each_file.ts, which vitest begins every file with: an import for its effect alone is left out of the bundle.
  await Promise.all([fetchVit(), fetchFamily(new Set([TINY_VIT_TENSOR]))]);
  const begin = () => {
    watchDevices();
    return load();
  };
  await runFile(file, begin, (outcome) => process.send?.(outcome));
  process.send?.("done", () => process.exit(0));
}

async function parent(): Promise<void> {
  const begun = performance.now();
  const deadline = begun + 1000 * Number(values.seconds);
  const outcomes: Outcome[] = [];
  const write = (whole: boolean) => {
    const failed = outcomes.filter(({ state }) => state === "failed").length;
    const report = { schema: "sam-med2d-parity", version: 1, whole, seconds: (performance.now() - begun) / 1000, failed, tests: outcomes };
    writeFileSync(`${values.json}.new`, `${JSON.stringify(report, null, 1)}\n`);
    renameSync(`${values.json}.new`, values.json);
  };
  const queue = Object.keys(FILES)
    .map(nameOf)
    .filter((name) => name.includes(values.only))
    // The longest first, so that none is left over at the end.
    .sort((a, b) => Number(b.startsWith("model/")) - Number(a.startsWith("model/")));
  const one = (file: string) =>
    new Promise<void>((resolve) => {
      const started = performance.now();
      let done = false;
      const process_ = fork(fileURLToPath(import.meta.url), ["--file", file], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      let said = "";
      process_.stderr?.on("data", (text) => {
        said = `${said}${text}`.slice(-2000);
      });
      const alarm = setTimeout(() => process_.kill("SIGKILL"), Math.max(0, deadline - performance.now()));
      process_.on("message", (message: Outcome | "done") => {
        if (message === "done") done = true;
        else outcomes.push(message);
        write(false);
      });
      process_.on("exit", (code, signal) => {
        clearTimeout(alarm);
        const why = signal ? `ended by ${signal}` : `ended with code ${code}`;
        const message = performance.now() >= deadline ? `not done within ${values.seconds} s` : `${why}: ${said.slice(-500)}`;
        if (!done) outcomes.push({ file, name: "(the file)", state: "failed", ms: performance.now() - started, message });
        console.log(lineOf(file, outcomes, performance.now() - started));
        resolve();
      });
    });
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await one(file);
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  write(true);
  for (const { file, name, message } of outcomes.filter(({ state }) => state === "failed")) console.log(`FAILED ${file}: ${name}: ${message}`);
  const passed = outcomes.filter(({ state }) => state === "passed").length;
  console.log(`${passed} of ${outcomes.length} checks passed in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  process.exitCode = passed > 0 && outcomes.every(({ state }) => state !== "failed") ? 0 : 1;
}

function lineOf(file: string, outcomes: readonly Outcome[], ms: number): string {
  const own = outcomes.filter((outcome) => outcome.file === file);
  const count = (state: Outcome["state"]) => own.filter((outcome) => outcome.state === state).length;
  const worst = own
    .flatMap(({ worst, state }) => (worst && state === "passed" && worst.bound > 0 ? [worst] : []))
    .sort((a, b) => b.error / b.bound - a.error / a.bound)[0];
  const error = worst ? `, nearest its bound: ${worst.error.toExponential(1)} of ${worst.bound.toExponential(1)} (${worst.label})` : "";
  const ok = count("failed") === 0 ? "ok    " : "FAILED";
  return `${ok} ${file.padEnd(28)} ${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} left out, ${(ms / 1000).toFixed(1)} s${error}`;
}

if (values.file !== undefined) await child(values.file);
else await parent();
