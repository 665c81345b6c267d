// The command `sam-med2d`: a process around `run`.
import { StartAgain, startAgain } from "./dawn.ts";
import { loadModel } from "./load.ts";
import { standardOutput } from "./standard_output.ts";
import { run } from "./program.ts";
import { EXIT, Interrupted } from "./usage.ts";

/** Dawn's threads may hold the process for a moment after the work is done; after this it is ended. */
const GRACE_MS = 3000;

async function main(): Promise<number> {
  const controller = new AbortController();
  for (const [name, code] of [
    ["SIGINT", EXIT.interrupted],
    ["SIGTERM", EXIT.terminated],
  ] as const) {
    // The first one lets the command clean up, the second one ends it.
    process.once(name, () => {
      controller.abort(new Interrupted(code));
      process.once(name, () => process.exit(code));
    });
  }
  process.stderr.on("error", () => undefined);
  return run(process.argv.slice(2), {
    stdout: standardOutput(),
    stderr: process.stderr,
    signal: controller.signal,
    debug: Boolean(process.env.DEBUG),
    loadModel,
  });
}

async function withDriver(): Promise<number> {
  try {
    return await main();
  } catch (error) {
    if (error instanceof StartAgain) return startAgain(error.env);
    throw error;
  }
}

process.exitCode = await withDriver();
setTimeout(() => process.exit(), GRACE_MS).unref();
