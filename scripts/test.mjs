// npm test: set-up, build, size; the tests in Node (plain and on Dawn), then those in headless Chromium on the built pages; beside them the packed library
// in what uses it and the checks. With --all, and in CI, nothing is left out for its length: full-size networks, memory, all of the fuzzing,
// every consumer; and last, with nothing beside it, the times against main's.
// npm test -- FILTER… runs only the test files whose path contains a filter, without the checks.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareWithMain } from "./bench_compare.mjs";
import { build } from "./build.mjs";
import { CHECKS } from "./check.mjs";
import { tryConsumers } from "./consumers.mjs";
import { setup } from "./setup.mjs";
import { checkSize } from "./size.mjs";
import { bin, CACHE, isMain, Problem, ROOT, readJson, run, runMain, say, seconds } from "./tools.mjs";

/** Tests that drive a browser, by path, as in vite.config.ts. */
const BROWSER_TESTS = /^tests\/(browser\/|support\/browser)/;

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const skips = [];
const times = [];

/** Runs one step under a title, which `beside` others says its end alone. The step gives "" or what is wrong; an exception counts as that too. */
async function step(title, action, { counts = true, beside = false } = {}) {
  if (!beside) say(`\n── ${title}`);
  const start = performance.now();
  let wrong = "";
  // Of single tests, which are counted and told already.
  let failed = 0;
  try {
    const ended = (await action()) || "";
    ({ wrong, failed } = typeof ended === "string" ? { wrong: ended, failed } : ended);
  } catch (error) {
    wrong = error instanceof Problem ? error.message : (error?.stack ?? `${error}`);
  }
  if (wrong) {
    say(wrong);
    failures.push(title);
    total.failed++;
  } else if (counts) total.passed++;
  const mark = wrong || failed > 0 ? "✗" : "✓";
  say(`${mark} ${title}: ${seconds(start)}`);
  times.push(`${seconds(start).padStart(8)}  ${mark} ${title}`);
  return wrong === "";
}

/** One after the other, while something else runs. */
async function stepsBeside(steps) {
  for (const [title, action] of steps) await step(title, action, { beside: true });
}

/** Adds one vitest run's report to the totals; gives how many tests failed, and what is wrong beyond them. */
function count(report, code) {
  if (!report) return { wrong: `vitest ended with code ${code} and wrote no report`, failed: 0 };
  let failed = 0;
  for (const { name, assertionResults, status, message } of report.testResults) {
    const file = name.slice(ROOT.length + 1);
    for (const { status: result, fullName } of assertionResults) {
      if (result === "passed") total.passed++;
      else if (result === "failed") {
        failed++;
        failures.push(`${file}: ${fullName}`);
      } else skips.push(`${file}: ${fullName}`);
    }
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
      failed++;
      failures.push(`${file}: ${message || "the file could not be run"}`);
    }
  }
  total.failed += failed;
  return { wrong: code !== 0 && failed === 0 ? "vitest failed outside any test: see its output above" : "", failed };
}

async function vitest(projects, env, filters) {
  const reportFile = join(CACHE, `vitest_${projects[0]}_${process.pid}.json`);
  const args = [bin("vitest", "vitest.mjs"), "run", ...projects.flatMap((project) => ["--project", project]), "--passWithNoTests"];
  args.push("--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`, ...filters);
  // The build before has set the environment to production, in which graphs are not checked.
  const { code } = await run(process.execPath, args, { show: true, env: { ...process.env, NODE_ENV: "test", ...env } });
  const wrong = count(readJson(reportFile), code);
  rmSync(reportFile, { force: true });
  return wrong;
}

/** Tests of `projects`, after which each kernel of shaders/ has run on Dawn, if they were all of Node's, on an adapter that takes those for software too. */
async function withAllKernels(projects, { env, adapter }, filters) {
  const made = join(CACHE, `kernels_${process.pid}.txt`);
  writeFileSync(made, "");
  const ended = await vitest(projects, { ...env, SAM_MED2D_KERNELS_MADE: made }, filters);
  const names = new Set(readFileSync(made, "utf8").split("\n"));
  rmSync(made);
  const shaders = readdirSync(join(ROOT, "shaders")).flatMap((file) => (file.endsWith(".wgsl") ? [file.replace(".wgsl", "")] : []));
  const without = shaders.filter((name) => !names.has(name));
  if (!adapter.software || filters.length > 0 || without.length === 0) return ended;
  return { ...ended, wrong: [ended.wrong, `No test ran these kernels: ${without.join(", ")}`].filter(Boolean).join("\n") };
}

/** Paths below the root of the test files whose path contains a filter, as vitest takes filters. */
function testFiles(filters) {
  const files = readdirSync(join(ROOT, "tests"), { recursive: true }).map((path) => `tests/${path.replaceAll("\\", "/")}`);
  return files.filter((path) => path.endsWith(".test.ts") && (filters.length === 0 || filters.some((filter) => path.includes(filter))));
}

const IN_CI = Boolean(process.env.CI) && process.env.CI !== "false";

function summary(start) {
  const skipFails = IN_CI;
  total.skipped = skips.length;
  say(`\n── Summary (${seconds(start)})`);
  for (const line of times) say(line);
  if (skips.length > 0) say(`\nSkipped${skipFails ? " (a failure in CI)" : ""}:\n${skips.map((name) => `  ${name}`).join("\n")}`);
  if (failures.length > 0) say(`\nFailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
  const failed = total.failed + (skipFails ? total.skipped : 0);
  say(`\n${total.passed} passed, ${failed} failed${total.skipped && !skipFails ? `, ${total.skipped} skipped` : ""}`);
  if (failed > 0) process.exitCode = 1;
}

async function main() {
  const start = performance.now();
  const filters = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
  const all = IN_CI || process.argv.includes("--all");
  // Whoever names a file wants all of it.
  const quick = !all && filters.length === 0;
  mkdirSync(CACHE, { recursive: true });
  // As in vite.config.ts, for the programs that consumers of the package are, and for the times against main's.
  process.env.LP_NATIVE_VECTOR_WIDTH ??= "128";
  const files = testFiles(filters);
  if (files.length === 0) throw new Problem(`No test file's path contains ${filters.join(" or ")}`);
  const needsBuild = filters.length === 0 || files.some((file) => file.startsWith("tests/browser/"));
  let found;
  let building = Promise.resolve(true);
  const ready = await step(
    "Set-up",
    async () => {
      // Needs npm's packages alone: others come meanwhile.
      const onPackages = () => {
        if (needsBuild) building = step("Build", build, { beside: true });
      };
      found = await setup({ onPackages });
    },
    { counts: false },
  );
  const built = await building;
  if (!ready) return summary(start);
  const env = { ...found.env, SAM_MED2D_QUICK: quick ? "1" : "" };
  const inBrowser = files.some((file) => BROWSER_TESTS.test(file));
  const inNode = files.some((file) => !BROWSER_TESTS.test(file));
  if (filters.length === 0) await step("Size of the library", () => checkSize());
  // What computes on one core, and the packed library, which often waits, go beside others. All consumers are enough for two cores and their memory.
  const others = CHECKS.map(({ title, check }) => [title, check]);
  const beside = filters.length === 0 ? [stepsBeside(others)] : [];
  if (filters.length === 0 && built) beside.push(step("The packed library, as it is used", () => tryConsumers({ fast: quick }), { beside: true }));
  if (!quick) await Promise.all(beside);
  const nodeTests = (title, projects) => step(title, () => withAllKernels(projects, { ...found, env }, filters), { counts: false });
  if (inBrowser && !built) failures.push("Tests in Chromium: not run, the build failed");
  // Few of each: one run of them all leaves no core waiting at the end of the first, or for the page that the second begins with.
  const together = quick && inBrowser && built;
  if (inNode)
    await nodeTests(together ? "Tests in Node, on Dawn and in Chromium" : "Tests in Node and on Dawn", [
      "node",
      "device",
      "plain",
      ...(together ? ["browser"] : []),
    ]);
  await Promise.all(beside);
  if (inBrowser && built && !together) await step("Tests in Chromium", () => vitest(["browser"], env, filters), { counts: false });
  if (filters.length === 0 && all && built) await step("Times against main's", () => compareWithMain({ env: found.env }));
  summary(start);
}

if (isMain(import.meta)) await runMain(main);
