// The folder that travels to a machine with a GPU: it starts there with nothing but a shell and gzip.
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { describe, expect, it } from "vitest";
import { useFolder } from "../cli/support.ts";
import { ROOT } from "../support/setup_file.ts";

const folder = useFolder();

describe.runIf(process.platform === "linux")("bench:pack", () => {
  it("is under 60 MB and runs in an empty environment", async () => {
    const external = ["webgpu", "sharp"];
    await build({
      configFile: join(ROOT, "vite.config.ts"),
      root: ROOT,
      logLevel: "error",
      publicDir: false,
      mode: "production",
      ssr: { noExternal: true, external, target: "node" },
      build: {
        ssr: join(ROOT, "src/cli/main.ts"),
        target: "node20",
        outDir: folder.file("cli"),
        minify: false,
        rollupOptions: { external, output: { format: "es", codeSplitting: false, entryFileNames: "cli.js" } },
      },
    });
    const script = `${ROOT}scripts/bench_pack.mjs`;
    const { pack } = (await import(/* @vite-ignore */ script)) as {
      pack(out: string, options: { cli: string; level: number }): Promise<{ bytes: number }>;
    };
    const out = folder.file("pack");
    const { bytes } = await pack(out, { cli: join(folder.file("cli"), "cli.js"), level: 6 });
    expect(bytes).toBeLessThan(60e6);
    const { stdout } = await promisify(execFile)(join(out, "run"), ["--count", "--config", "small"], { env: { PATH: "/usr/bin:/bin" } });
    expect(stdout).toMatch(/^all +\d+ +\d+ MFLOP/m);
    await access(join(out, "unpacked/node"));
    await access(join(out, "pytorch/reference/sam_med2d.py"));
  });
});
