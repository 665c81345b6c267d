// What npx starts: in git, so that it is there before anything is built.
import { spawnSync } from "node:child_process";
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { ROOT } from "../support/setup_file.ts";

const { bin, files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { bin: Record<string, string>; files: string[] };
const launcher = bin["sam-med2d"] as string;
const clone = mkdtempSync(join(tmpdir(), "sam-launcher-"));
afterAll(() => rmSync(clone, { recursive: true, force: true }));

it("says what to run in a clone that is not built, and hands its arguments on in one that is", () => {
  accessSync(join(ROOT, launcher), constants.X_OK);
  expect(files).toContain(launcher.split("/")[0]);
  cpSync(join(ROOT, launcher), join(clone, launcher));
  const run = () => spawnSync(process.execPath, [join(clone, launcher), "inspect", "a b"], { encoding: "utf8" });
  const before = run();
  expect([before.status, before.stdout]).toEqual([1, ""]);
  expect(before.stderr).toMatch(/^sam-med2d: .*dist\/cli\.js.*not built.*npm run build\n$/);
  mkdirSync(join(clone, "dist"));
  writeFileSync(join(clone, "package.json"), '{ "type": "module" }');
  writeFileSync(join(clone, "dist", "cli.js"), "console.log(process.argv.slice(2).join());\nprocess.exitCode = 7;\n");
  const after = run();
  expect([after.status, after.stdout, after.stderr]).toEqual([7, "inspect,a b\n", ""]);
});
