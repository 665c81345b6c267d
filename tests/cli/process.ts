// The command line as people run it: a process of its own, from one bundled file.
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll } from "vitest";
import { ROOT } from "../support/setup_file.ts";
import type { Result } from "./support.ts";

export interface RunOptions {
  /** `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sends the signal when this text has appeared on stderr, or so many milliseconds after anything has, which a driver for CPUs does at its start. */
  readonly interrupt?: { readonly after: string | number; readonly signal: NodeJS.Signals };
}

/** Bundles the command line as scripts/build.mjs does, from the sources as they are, so that no test meets an older dist/. */
export function useCli(): (args: readonly string[], options?: RunOptions) => Promise<Result> {
  const script = useCliFile();
  return (args, options) => start(script(), args, options);
}

/** The bundled file alone, for a shell to start. */
export function useCliFile(): () => string {
  const folder = join(ROOT, ".cache", `cli_test_${process.pid}_${Math.random().toString(36).slice(2, 8)}`);
  const external = ["webgpu", "sharp"];
  beforeAll(async () => {
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
        outDir: folder,
        minify: false,
        rollupOptions: { external, output: { format: "es", codeSplitting: false, entryFileNames: "cli.js" } },
      },
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => join(folder, "cli.js");
}

function start(script: string, args: readonly string[], { env = {}, interrupt }: RunOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const out = { stdout: "", stderr: "" };
    const stop = () => child.kill(interrupt?.signal);
    const timers: NodeJS.Timeout[] = [];
    const later = () => {
      if (typeof interrupt?.after === "number") timers.push(setTimeout(stop, interrupt.after));
    };
    child.stderr.once("data", later);
    // A GPU's driver says nothing.
    timers.push(setTimeout(later, 8000));
    child.stdout.on("data", (chunk) => {
      out.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      const before = out.stderr;
      out.stderr += chunk;
      if (typeof interrupt?.after === "string" && !before.includes(interrupt.after) && out.stderr.includes(interrupt.after)) stop();
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      // A crash at exit would otherwise pass for an ordinary failure.
      resolve({ code: signal ? -1 : (code ?? -1), stdout: out.stdout, stderr: signal ? `${out.stderr}\nended by ${signal}` : out.stderr });
    });
  });
}
