// Brings a fresh clone to where the tests can run: npm packages, a Chromium, an adapter for Dawn. Needs Node alone.
// What it finds is remembered in .cache/setup.json, which the tests read.
import { join } from "node:path";
import { ensureChromium } from "./setup/chromium.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureAdapter } from "./setup/vulkan.mjs";
import { CACHE, isMain, runMain, say, writeJson } from "./tools.mjs";

export const SETUP_FILE = join(CACHE, "setup.json");

/** Gives `{ chromium: { path, version }, env, adapter }`: `env` is what a process needs so that Dawn finds the adapter. */
export async function setup() {
  await ensureDependencies();
  const chromium = await ensureChromium();
  say(`Chromium: ${chromium.version} (${chromium.path})`);
  const { env, adapter } = await ensureAdapter(chromium.path);
  const how = Object.entries(env)
    .filter(([name]) => name !== "VK_ICD_FILENAMES")
    .map(([name, value]) => `${name}=${value}`);
  say(`Adapter for Dawn: ${adapter.description || adapter.architecture || adapter.vendor}${how.length ? ` (${how.join(" ")})` : ""}`);
  const found = { chromium, env, adapter };
  writeJson(SETUP_FILE, found);
  return found;
}

if (isMain(import.meta)) await runMain(setup);
