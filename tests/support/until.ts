import { vi } from "vitest";

/** Waits for a state, however long the machine takes: what never comes is ended by the test's own limit. */
export function until<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 120_000, interval: 5 });
}
