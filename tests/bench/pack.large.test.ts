// The folder that travels to a machine with a GPU: it starts there with nothing but a shell, tar and xz.
import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { useCliFile } from "../cli/process.ts";
import { useFolder } from "../cli/support.ts";
import { readSetup, ROOT } from "../support/setup_file.ts";

const folder = useFolder();
const run = promisify(execFile);

interface Parity {
  readonly whole: boolean;
  readonly failed: number;
  readonly tests: readonly { readonly state: string; readonly worst?: { readonly error: number; readonly bound: number } }[];
}

describe.runIf(process.platform === "linux")("bench:pack", () => {
  const cli = useCliFile();

  it("is under 55 MB, and checks and counts in an empty environment", async () => {
    const script = `${ROOT}scripts/bench_pack.mjs`;
    const { pack } = (await import(/* @vite-ignore */ script)) as {
      pack(out: string, options: { cli: string; level: number }): Promise<{ bytes: number }>;
    };
    const out = folder.file("pack");
    const { bytes } = await pack(out, { cli: cli(), level: 2 });
    expect(bytes).toBeLessThan(55e6);
    // Temporary files of its own, so that nothing unpacked before is met.
    const env = { PATH: "/usr/bin:/bin", TMPDIR: folder.file("."), ...readSetup().env };
    const results = folder.file("results");
    const { stdout } = await run(join(out, "run"), ["--out", results, "--no-parity", "--count", "--config", "small"], { env });
    expect(stdout).toMatch(/^all +\d+ +\d+ MFLOP/m);
    await access(join(results, "machine.txt"));
    // The unpacked checks, of a few files: each kernel's answer beside its bound.
    const unpacked = folder.file("sam-med2d-bench-unpacked");
    const json = folder.file("parity.json");
    await run(join(unpacked, "node"), [join(unpacked, "tests/bare/checks.js"), "--json", json, "--only", "ops/d"], { env });
    const parity = JSON.parse(await readFile(json, "utf8")) as Parity;
    expect(parity).toMatchObject({ whole: true, failed: 0 });
    const passed = parity.tests.filter(({ state }) => state === "passed");
    expect(passed.length).toBeGreaterThan(10);
    for (const { worst } of passed) if (worst) expect(worst.error).toBeLessThanOrEqual(worst.bound);
    // Networks find what they need too; how many are done in that time is the machine's affair.
    const goldens = folder.file("goldens.json");
    const args = [join(unpacked, "tests/bare/checks.js"), "--json", goldens, "--only", "model/goldens", "--seconds", "20"];
    await run(join(unpacked, "node"), args, { env }).catch(() => undefined);
    const { tests } = JSON.parse(await readFile(goldens, "utf8")) as { tests: readonly { message?: string }[] };
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter(({ message }) => message && !message.includes("not done within"))).toEqual([]);
    await access(join(unpacked, "tests/reference/sam_med2d.py"));
  });
});
