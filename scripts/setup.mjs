// Brings a fresh clone to where the tests can run: npm packages, a Chromium, an adapter for Dawn, a DICOMweb server,
// others' readers of labels. Needs Node alone.
// What it finds is remembered in .cache/setup.json, which the tests read.
import { join } from "node:path";
import { ensureChromium } from "./setup/chromium.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureOrthanc } from "./setup/orthanc.mjs";
import { ensureReaders } from "./setup/readers.mjs";
import { ensureAdapter } from "./setup/vulkan.mjs";
import { CACHE, isMain, Problem, runMain, say, writeJson } from "./tools.mjs";

export const SETUP_FILE = join(CACHE, "setup.json");

/**
 * Gives `{ chromium: { path, version }, env, adapter, orthanc: { path, plugin } or nothing, readers: { python, dciodvfy } or nothing }`: `env` is what a process needs so that Dawn finds the adapter.
 * With `build`, packages that had to be installed are followed by a build, so that the command line is there. `onPackages` is told when npm's are there.
 */
export async function setup({ build = false, onPackages } = {}) {
  // Python packages come beside what npm brings: both wait for a network, and one unpacks on one core.
  const readers = ensureReaders();
  readers.catch(() => {});
  await ensureDependencies({ build });
  onPackages?.();
  // Both are looked for before either is complained of: one run names all there is to install.
  const missing = [];
  const attempt = (work) =>
    work.catch((error) => {
      if (!(error instanceof Problem)) throw error;
      missing.push(error.message);
    });
  const chromium = await attempt(ensureChromium());
  if (chromium) say(`Chromium: ${chromium.version} (${chromium.path})`);
  const dawn = await attempt(ensureAdapter(chromium?.path));
  if (missing.length > 0) throw new Problem(missing.join("\n\n"));
  const { env, adapter } = dawn;
  const how = Object.entries(env)
    .filter(([name]) => name !== "VK_ICD_FILENAMES")
    .map(([name, value]) => `${name}=${value}`);
  say(`Adapter for Dawn: ${adapter.description || adapter.architecture || adapter.vendor}${how.length ? ` (${how.join(" ")})` : ""}`);
  const found = { chromium, env, adapter, orthanc: await ensureOrthanc(), readers: await readers };
  writeJson(SETUP_FILE, found);
  return found;
}

if (isMain(import.meta)) await runMain(() => setup({ build: true }));
