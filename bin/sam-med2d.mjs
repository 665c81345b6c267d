#!/usr/bin/env node
// What `npx sam-med2d` starts. In git, not built: npx never finds a command whose file was missing when it was first asked for.
import { existsSync } from "node:fs";

const built = new URL("../dist/cli.js", import.meta.url);
if (existsSync(built)) await import(built.href);
else {
  process.stderr.write("sam-med2d: expected dist/cli.js, which is not built yet. Run once: npm run build\n");
  process.exitCode = 1;
}
