// What scripts/setup.mjs found on this machine.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Setup {
  readonly chromium: { readonly path: string; readonly version: string };
  /** Environment under which Dawn finds the adapter; vite.config.ts hands it to the test processes. */
  readonly env: Readonly<Record<string, string>>;
  /** A DICOMweb server to test against, where there is one. */
  readonly orthanc?: { readonly path: string; readonly plugin: string };
  /** Others' readers of labels, where they could be had. */
  readonly readers?: { readonly python: string; readonly dciodvfy: string };
  readonly adapter: { readonly description: string; readonly software: boolean; readonly features: readonly string[] };
}

export function readSetup(): Setup {
  const path = `${ROOT}.cache/setup.json`;
  if (!existsSync(path)) throw new Error(`${path} is missing. Run once: npm run setup`);
  return JSON.parse(readFileSync(path, "utf8")) as Setup;
}
