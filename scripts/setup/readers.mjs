// Other people's readers, which files of labels are checked with: Python packages in a folder of their own, and dciodvfy. Others may do without. In CI
// PyTorch beside them, for what errors tell to do with it.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CACHE, lastLines, run, say, seconds } from "../tools.mjs";
import { aptInstall, aptUsable } from "./apt.mjs";

const WANTED = join(dirname(fileURLToPath(import.meta.url)), "readers.txt");
const FOLDER = join(CACHE, "readers");
const PYTHON = join(FOLDER, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const PYTHONS = ["python3", "/usr/bin/python3", "python"];
const TORCH = "2.13.0";
/** Compiled when imported: most of it never is. */
const INSTALL = ["install", "--quiet", "--disable-pip-version-check", "--no-compile"];
/** Ends with 1 unless all are there. To import them takes seconds. */
const LOOK = "from importlib.util import find_spec; assert all(map(find_spec, 'highdicom nibabel pycocotools pydicom SimpleITK'.split()))";

/** `{ python, dciodvfy }`, or undefined where one of them cannot be had. */
export async function ensureReaders() {
  const [python, dciodvfy] = [await ensurePython(), await ensureDciodvfy()];
  if (python && process.env.CI) await ensureTorch();
  if (python && dciodvfy) return { python, dciodvfy };
  say(`No ${[!python && "Python packages", !dciodvfy && "dciodvfy"].filter(Boolean).join(" and ")}: the tests with others' readers are left out.`);
  if (!python) say("  They need Python 3.10 or newer with venv, and PyPI.");
  if (!dciodvfy) say("  On Debian and Ubuntu: apt-get install dicom3tools");
  return undefined;
}

async function ensurePython() {
  const wanted = readFileSync(WANTED, "utf8");
  const mark = join(FOLDER, "wanted.txt");
  const there = existsSync(mark) && readFileSync(mark, "utf8") === wanted && (await run(PYTHON, ["-c", LOOK])).code === 0;
  if (there) return PYTHON;
  say("Installing Python packages that read labels, for the tests …");
  const start = performance.now();
  if (!(await makeFolder())) return undefined;
  const { code, output } = await pip([...INSTALL, "-r", WANTED], 900_000);
  if (code !== 0 || (await run(PYTHON, ["-c", LOOK])).code !== 0) {
    say(lastLines(output, 15));
    return undefined;
  }
  writeFileSync(mark, wanted);
  say(`  installed in ${seconds(start)}`);
  return PYTHON;
}

/** A build for the CPU: the other kind brings gigabytes for CUDA. */
async function ensureTorch() {
  if ((await run(PYTHON, ["-c", `import torch; assert torch.__version__.startswith("${TORCH}")`])).code === 0) return;
  const { code, output } = await pip([...INSTALL, "--dry-run", "--report", "-", `torch==${TORCH}`], 300_000);
  const names = code === 0 ? [...output.matchAll(/"name": "([^"]+)"/g)].map(([, name]) => name) : [];
  if (code !== 0 || names.some((name) => /^(nvidia|cuda|triton)/.test(name))) {
    say("No build of PyTorch for the CPU: what errors tell to do with it is not tried.");
    return;
  }
  const start = performance.now();
  const { code: failed, output: said } = await pip([...INSTALL, `torch==${TORCH}`], 900_000);
  say(failed === 0 ? `PyTorch ${TORCH} is installed in ${seconds(start)}` : lastLines(said, 15));
}

/** A Python whose pip, of 22.3 or newer, can install for another: to unpack one more pip takes as long as all that it installs. */
async function findPip() {
  for (const python of PYTHONS) {
    const [, major, minor] = /^pip (\d+)\.(\d+)/.exec((await run(python, ["-m", "pip", "--version"])).output) ?? [];
    if (Number(major) > 22 || (major === "22" && Number(minor) >= 3)) return python;
  }
  return undefined;
}
let outerPip;

function lookForPip() {
  outerPip ??= findPip();
  return outerPip;
}

async function pip(args, timeoutMs) {
  const outer = await lookForPip();
  return outer ? run(outer, ["-m", "pip", "--python", PYTHON, ...args], { timeoutMs }) : run(PYTHON, ["-m", "pip", ...args], { timeoutMs });
}

/** By the first Python that can; on Debian and Ubuntu as root it is installed. */
async function makeFolder() {
  const outer = await lookForPip();
  const attempt = async (python) => {
    rmSync(FOLDER, { recursive: true, force: true });
    return (await run(python, ["-m", "venv", ...(outer ? ["--without-pip"] : []), FOLDER])).code === 0;
  };
  for (const python of PYTHONS) if (await attempt(python)) return true;
  if (!aptUsable()) return false;
  const { ok, output } = await aptInstall(["python3", "python3-venv"]);
  if (!ok) say(lastLines(output, 15));
  return attempt("/usr/bin/python3");
}

async function ensureDciodvfy() {
  const { PATH = "" } = process.env;
  const find = () => [...PATH.split(delimiter), "/usr/bin"].map((folder) => join(folder, "dciodvfy")).find((file) => existsSync(file));
  const found = find();
  if (found || !aptUsable()) return found;
  say("Installing dciodvfy, which checks DICOM files, for the tests …");
  const { ok, output } = await aptInstall(["dicom3tools"]);
  if (!ok) say(lastLines(output, 15));
  return find();
}
