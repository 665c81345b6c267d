// Broken inputs by the thousand, beside the checkpoints': seeded, so that a failure is found again.
import { EDGES, mutateBytes, Random } from "../checkpoint/fuzz.ts";
import type { Bytes } from "../checkpoint/support.ts";
import { QUICK } from "../support/quick.ts";

/** `npm run fuzz` sets it to 10: what is tried in CI is a tenth, by `npm test` a fiftieth. */
export const TIMES = Number(process.env.FUZZ_TIMES ?? (QUICK ? 0.2 : 1));
/** Of the processor's time: an input takes longer only if something hangs, however much else the machine does. */
export const LONGEST_MS = 5000;

export const encoded = (text: string): Bytes => new TextEncoder().encode(text);

const VALUES: readonly unknown[] = [
  null,
  true,
  "",
  "x",
  "\u0000\u001b[31m\u202e",
  "../../../etc/passwd",
  "C:\\a\\b.png",
  [],
  {},
  [[[]]],
  -0,
  0.5,
  1e308,
  ...EDGES,
];

/** One or a few values anywhere replaced, removed, repeated or nested, or the text itself damaged. */
export function mutateJson(random: Random, value: unknown): Bytes {
  if (random.chance(4)) return mutateBytes(random, encoded(JSON.stringify(value)));
  const root = { value: structuredClone(value) };
  for (let changes = 1 + random.below(3); changes > 0; changes--) change(random, root);
  const text = JSON.stringify(root.value) ?? "";
  if (random.chance(20)) return encoded(`\ufeff${text}`);
  // A name twice.
  return encoded(random.chance(10) ? text.replace(/\{("[^"]*":)/, (_, name) => `{${name}0,${name}`) : text);
}

function change(random: Random, root: { value: unknown }): void {
  let holder = root as unknown as Record<string, unknown>;
  let key = "value";
  for (;;) {
    const inner = holder[key];
    if (typeof inner !== "object" || inner === null || Object.keys(inner).length === 0 || random.chance(6)) break;
    holder = inner as Record<string, unknown>;
    key = random.pick(Object.keys(holder));
  }
  switch (random.below(5)) {
    case 0:
      delete holder[key];
      break;
    case 1:
      holder[`${key}${random.below(3)}`] = holder[key];
      break;
    case 2:
      holder[key] = random.chance(2) ? [holder[key]] : { [key]: holder[key] };
      break;
    default:
      holder[key] = random.pick(VALUES);
  }
}

export interface Tried {
  /** Cases that went through. */
  readonly whole: number;
  readonly slowest: number;
}

/** Runs `cases` of `make`; `use` throws nothing but what `typed` knows. A failure names the case, which the same seed makes again. */
export async function tryAll(
  seed: number,
  cases: number,
  make: (random: Random) => Bytes,
  use: (bytes: Bytes) => unknown,
  typed: (error: unknown) => boolean,
): Promise<Tried> {
  let whole = 0;
  let slowest = 0;
  for (let i = 0; i < cases; i++) {
    const bytes = make(new Random(Math.imul(seed, 0x9e3779b1) + i));
    const start = process.cpuUsage();
    try {
      await use(bytes);
      whole++;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!typed(error) || message.length > 2000 || /undefined|NaN|\[object/.test(message)) {
        throw new Error(`seed ${seed}, case ${i}: ${error instanceof Error ? error.stack : error}\n${Buffer.from(bytes).toString("base64").slice(0, 4000)}`, {
          cause: error,
        });
      }
    }
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    if (took > LONGEST_MS) throw new Error(`seed ${seed}, case ${i} took ${took.toFixed()} ms\n${Buffer.from(bytes).toString("base64").slice(0, 4000)}`);
    slowest = Math.max(slowest, took);
  }
  return { whole, slowest };
}
