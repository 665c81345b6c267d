// The page on a fake model, for the tests that drive it: it needs no GPU, no weights, and answers at once.
import { join } from "node:path";
import { build } from "vite";
import { ROOT } from "../../support/setup_file.ts";

export const FAKE_SITE = join(ROOT, ".cache", "fake_site");

/** Builds it once before all tests in browsers: vite.config.ts names this file as their set-up. */
export default async function buildFakeSite(): Promise<void> {
  // Vitest sets it for itself; the page is built as for users.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production";
  try {
    await build({ configFile: join(ROOT, "tests/app/fake/vite.config.ts"), logLevel: "warn" });
  } finally {
    process.env.NODE_ENV = NODE_ENV;
  }
}
