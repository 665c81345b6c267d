// What every script needs: the project's root, words for the terminal, and a child process with its output kept.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ignored by git: what set-up found on this machine, logs and reports. */
export const CACHE = join(ROOT, ".cache");

/** True when `import.meta` is the script that was started, not a module of another. */
export function isMain(meta) {
  // Through a link (a temporary folder on macOS, npx) the two paths differ until both are real.
  return process.argv[1] !== undefined && meta.url === pathToFileURL(realpathSync(process.argv[1])).href;
}

export function say(text = "") {
  process.stdout.write(`${text}\n`);
}

export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/** An error whose message is all that the user needs: no stack is printed for it. */
export class Problem extends Error {}

/** Runs `main`; a Problem is printed as it is, anything else with its stack. Exit code 1 in both cases. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`\n${error instanceof Problem ? error.message : (error?.stack ?? error)}\n`);
    process.exitCode = 1;
  }
}

/**
 * Runs a program to its end and gives `{ code, output }`, stdout and stderr together.
 * With `show` the output also goes to the terminal as it comes. `timeoutMs` ends it with code 124.
 */
export function run(command, args, { show = false, env = process.env, cwd = ROOT, timeoutMs } = {}) {
  return new Promise((resolve) => {
    // The child writes to a pipe in any case, so whether to use colours is decided by our own terminal.
    const colours = show && process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: "1" } : { NO_COLOR: "1", FORCE_COLOR: undefined };
    let child;
    try {
      child = spawn(command, args, { cwd, env: { ...env, ...colours }, stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      // What cannot be a program at all, as a path below a file, is thrown; what is not found comes as an event.
      return resolve({ code: 127, output: `${error.message}\n` });
    }
    let output = "";
    let late = false;
    const timer = timeoutMs
      ? setTimeout(() => {
          late = true;
          child.kill("SIGKILL");
        }, timeoutMs)
      : undefined;
    const take = (stream) => (chunk) => {
      output += chunk;
      if (show) stream.write(chunk);
    };
    child.stdout.on("data", take(process.stdout));
    child.stderr.on("data", take(process.stderr));
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: `${output}${error.message}\n` });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), output });
    });
  });
}

/** A program of an installed package, run by this Node: `bin("vite", "bin/vite.js")`. */
export function bin(packageName, path) {
  return join(ROOT, "node_modules", packageName, path);
}

/** npm as `[command, leading arguments]`: the npm that runs this script, else the one beside this Node, else the one on PATH. */
export function npm() {
  const beside = join(dirname(process.execPath), process.platform === "win32" ? "node_modules/npm/bin/npm-cli.js" : "../lib/node_modules/npm/bin/npm-cli.js");
  const cli = [process.env.npm_execpath, beside].find((path) => path?.endsWith("npm-cli.js") && existsSync(path));
  return cli ? [process.execPath, [cli]] : ["npm", []];
}

export function readJson(path, fallback) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return fallback;
  }
}

export function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

export function lastLines(text, count) {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

export function firstLines(text, count) {
  return text.trim().split("\n").slice(0, count).join("\n");
}

/** Whether `made` is there and newer than all files of `paths` and below them: what is built is that of today. */
export function isCurrent(made, paths) {
  if (!existsSync(made)) return false;
  const { mtimeMs } = statSync(made);
  const files = paths.flatMap((path) => (statSync(path).isDirectory() ? readdirSync(path, { recursive: true }).map((name) => join(path, name)) : [path]));
  return files.every((file) => statSync(file).mtimeMs <= mtimeMs);
}
