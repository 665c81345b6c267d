// npm start in a folder of examples/: installs the library there as npm would publish it, with what else the example names, and runs the command given.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { CACHE, firstLines, isCurrent, isMain, npm, Problem, ROOT, run, runMain, say } from "./tools.mjs";

async function install(folder) {
  const [program, args] = npm();
  const packed = join(CACHE, "packed");
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(packed, { recursive: true });
  const attempt = async (words, cwd) => {
    const { code, output } = await run(program, [...args, ...words], { cwd });
    if (code !== 0) throw new Problem(`${firstLines(output, 25)}\n\nnpm ${words[0]} failed: see above.`);
  };
  await attempt(["pack", "--ignore-scripts", "--pack-destination", packed], ROOT);
  const [tarball] = readdirSync(packed);
  await attempt(["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", join(packed, tarball)], folder);
}

if (isMain(import.meta)) {
  await runMain(async () => {
    const folder = process.cwd();
    const [command, ...args] = process.argv.slice(2);
    if (!command || !existsSync(join(folder, "package.json"))) throw new Problem("Run it by npm start in a folder of examples/.");
    await ensureDependencies({ build: true });
    if (!isCurrent(join(ROOT, "dist/index.js"), [join(ROOT, "src"), join(ROOT, "shaders")])) await build();
    say("Installing the library and what the example needs …");
    await install(folder);
    const [program, before] = npm();
    const words = command === "node" ? [process.execPath, args] : [program, [...before, "exec", "--", command, ...args]];
    const { code } = await run(...words, { cwd: folder, show: true });
    process.exitCode = code;
  });
}
