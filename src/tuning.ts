// Where the tuner's choices are kept from one load to the next.
import type { DeviceSummary } from "./gpu/device.ts";
import type { Choices } from "./graph/target.ts";

/** Keeps the tuner's choices. Neither method throws: a lost choice costs a second at the next load. */
export interface TuningStore {
  /** Milliseconds that it may take; default 1600. What it does not reach is timed at the next load. */
  readonly budgetMs?: number;
  read(adapter: string): Promise<Choices | undefined>;
  write(adapter: string, choices: Choices): Promise<void>;
}

const CACHE = "sam-med2d-tuning";

/**
 * One name for what the times depend on: adapter, driver (`description` natively; a browser hides it, and often which of a maker's cards it is, and
 * is known by its own version) and package.
 */
export function tuningKey({ vendor, architecture, description }: DeviceSummary, device: string, version: string): string {
  return [vendor, architecture, device, description, globalThis.navigator?.userAgent ?? "", version].join(" | ");
}

/** The browser's Cache Storage, which workers have too. Without one, the page's memory. */
export const browserStore: TuningStore = {
  async read(adapter) {
    try {
      const kept = await (await caches.open(CACHE)).match(addressOf(adapter));
      return kept && parseChoices(await kept.text());
    } catch {
      return undefined;
    }
  },
  async write(adapter, choices) {
    try {
      await (await caches.open(CACHE)).put(addressOf(adapter), new Response(JSON.stringify(choices)));
    } catch {
      // No storage, or none left.
    }
  },
};

/** Cache Storage is by address. This one is never asked for. */
const addressOf = (adapter: string) => `https://tuning.invalid/${encodeURIComponent(adapter)}`;

/** Undefined unless it is a table of names. */
export function parseChoices(text: string): Choices | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.values(value).every((name) => typeof name === "string") ? (value as Choices) : undefined;
  } catch {
    return undefined;
  }
}
