import { afterEach, describe, expect, it, vi } from "vitest";
import { ROOT } from "../support/setup_file.ts";

interface AptSource {
  readonly extension: string;
  readonly text: string;
}

const { backportsSource } = (await import(/* @vite-ignore */ `${ROOT}scripts/setup/apt.mjs`)) as {
  backportsSource(files: readonly { name: string; text: string }[], codename: string): AptSource | undefined;
};

const { ensureChromium } = (await import(/* @vite-ignore */ `${ROOT}scripts/setup/chromium.mjs`)) as { ensureChromium(): Promise<{ path: string }> };
const { ensureAdapter } = (await import(/* @vite-ignore */ `${ROOT}scripts/setup/vulkan.mjs`)) as { ensureAdapter(chromium?: string): Promise<object> };

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("what set-up says", () => {
  it("of a CHROME_PATH that leads to no browser: which, and what to do", async () => {
    vi.stubEnv("CHROME_PATH", "/nowhere/chrome");
    await expect(ensureChromium()).rejects.toThrow("CHROME_PATH must be a Chromium or Chrome that runs, got /nowhere/chrome. Correct or unset it.");
    // A program that runs and is no browser.
    vi.stubEnv("CHROME_PATH", process.execPath);
    await expect(ensureChromium()).rejects.toThrow(`got ${process.execPath}`);
  });

  // Elsewhere Dawn does not go through Vulkan.
  it.runIf(process.platform === "linux")("of a named driver that Dawn cannot use: which, and what to do", async () => {
    vi.stubEnv("VK_DRIVER_FILES", "/nowhere/icd.json");
    vi.stubEnv("VK_ICD_FILENAMES", "/nowhere/icd.json");
    await expect(ensureAdapter()).rejects.toThrow("VK_DRIVER_FILES is set, but Dawn finds no adapter with /nowhere/icd.json. Correct or unset it.");
  });
});

// A name that no machine has: what matters is that it is carried over.
const MIRROR = "mirror.invalid/debian";

describe("set-up's source for backports", () => {
  it("is the release's own entry of a .sources file, with comments, several suites and a key block kept apart", () => {
    const text = [
      "# ours",
      "Types: deb",
      "# where from",
      `URIs: http://${MIRROR}-security`,
      "Suites: bookworm-security",
      "Components: main",
      "",
      "Enabled: yes",
      "Types: deb deb-src",
      `URIs: http://${MIRROR}`,
      "Suites: bookworm bookworm-updates",
      "Components: main contrib",
      "Signed-By:",
      " -----BEGIN KEY-----",
      " .",
      " -----END KEY-----",
    ].join("\n");
    const source = backportsSource([{ name: "debian.sources", text }], "bookworm");
    expect(source?.extension).toBe("sources");
    expect(source?.text).toBe(
      `types: deb\nsuites: bookworm-backports\ncomponents: main\nuris: http://${MIRROR}\nsigned-by: \n -----BEGIN KEY-----\n .\n -----END KEY-----\n`,
    );
  });

  it("is the release's own line of a .list file, options and all", () => {
    const text = `# deb http://${MIRROR} bookworm main\ndeb-src http://${MIRROR} bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://${MIRROR} bookworm main non-free\n`;
    expect(backportsSource([{ name: "sources.list", text }], "bookworm")).toEqual({
      extension: "list",
      text: `deb [arch=amd64 signed-by=/k.gpg] http://${MIRROR} bookworm-backports main\n`,
    });
  });

  it("follows a machine that names the release stable", () => {
    expect(backportsSource([{ name: "a.list", text: `deb http://${MIRROR} stable main` }], "bookworm")?.text).toBe(
      `deb http://${MIRROR} stable-backports main\n`,
    );
  });

  it("is none without an entry for the release, or with a disabled one", () => {
    expect(backportsSource([{ name: "a.list", text: `deb http://${MIRROR} bookworm-security main` }], "bookworm")).toBeUndefined();
    const disabled = `Enabled: no\nTypes: deb\nURIs: http://${MIRROR}\nSuites: bookworm\nComponents: main\n`;
    expect(backportsSource([{ name: "a.sources", text: disabled }], "bookworm")).toBeUndefined();
  });
});
