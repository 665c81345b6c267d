// The temporary folder the packed library is tried in: its tarball unpacked, and the tools that consume it installed.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { firstLines, lastLines, npm, Problem, ROOT, run, say, seconds } from "../tools.mjs";

export const CONSUMERS = join(ROOT, "tests", "consumers");
const PACKAGE = "sam-med2d-webgpu";
const LISTS = ["package.json", "package-lock.json"];

async function command(program, args, options) {
  const { code, output } = await run(program, args, options);
  if (code !== 0) throw new Problem(lastLines(output, 60) || `${basename(program)} ended with code ${code}`);
  return output;
}

/** The tools of tests/consumers/package.json, installed in the system's temporary folder; a name for each list of them, so that the next run finds them. */
async function installTools() {
  const hash = createHash("sha256");
  for (const name of LISTS) hash.update(readFileSync(join(CONSUMERS, name)));
  const folder = join(tmpdir(), `sam-med2d-consumers-${hash.digest("hex").slice(0, 12)}`);
  const done = join(folder, "installed");
  if (existsSync(done)) return folder;
  const start = performance.now();
  say("  Installing the bundlers …");
  mkdirSync(folder, { recursive: true });
  for (const name of LISTS) cpSync(join(CONSUMERS, name), join(folder, name));
  cpSync(join(ROOT, ".npmrc"), join(folder, ".npmrc"));
  const [program, args] = npm();
  const { code, output } = await run(program, [...args, "ci", "--ignore-scripts"], { cwd: folder });
  if (code !== 0)
    throw new Problem(`${firstLines(output, 25)}\n\nThe bundlers could not be installed. They come from the registry that npm is configured for.`);
  writeFileSync(done, "");
  say(`  installed in ${seconds(start)}`);
  return folder;
}

/**
 * Packs dist/ as npm would publish it and unpacks it as npm would install it, outside the repository, so that nothing of it is found by accident.
 * With `tools` what tests/consumers/package.json names is there too, else those of the repository's packages that are `borrowed`.
 */
export async function openWorkshop({ tools = false, borrowed = [] } = {}) {
  const installed = tools ? await installTools() : undefined;
  const folder = mkdtempSync(join(installed ?? tmpdir(), "consumers-"));
  const [program, args] = npm();
  await command(program, [...args, "pack", "--ignore-scripts", "--pack-destination", folder]);
  const tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz")),
  );
  const modules = join(folder, "node_modules");
  const library = join(modules, PACKAGE);
  mkdirSync(library, { recursive: true });
  await command("tar", ["-xzf", tarball, "-C", library, "--strip-components=1"]);
  for (const name of borrowed) symlinkSync(join(ROOT, "node_modules", name), join(modules, name), "junction");
  const tool = (name, path) => join(installed ?? ROOT, "node_modules", name, path);
  return {
    folder,
    tarball,
    library,
    /** Where the tools are; what reads no further up than a project's root must be told. */
    root: installed ?? folder,
    tool,
    /** Runs a program of an installed tool with this Node. */
    node: (path, args, options) => command(process.execPath, [path, ...args], options),
    command,
    /** A folder of its own with copies of files and folders, by the name they get. */
    project(name, sources) {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      for (const [to, source] of Object.entries(sources)) cpSync(source, join(path, to), { recursive: true });
      return path;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
