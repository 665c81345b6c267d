// A Chromium for the browser tests: found, or on Debian as root installed. Nothing downloads a browser by itself.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { lastLines, Problem, run, say } from "../tools.mjs";
import { aptInstall, aptUsable, osRelease } from "./apt.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge-stable", "microsoft-edge"];

function usualPaths() {
  const { PATH = "", PROGRAMFILES, "PROGRAMFILES(X86)": PROGRAMFILES_X86, LOCALAPPDATA } = process.env;
  if (process.platform === "darwin") {
    const apps = ["Google Chrome", "Chromium", "Google Chrome Canary", "Microsoft Edge"];
    return ["/Applications", join(homedir(), "Applications")].flatMap((folder) => apps.map((app) => join(folder, `${app}.app`, "Contents", "MacOS", app)));
  }
  if (process.platform === "win32") {
    const below = ["Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe"];
    return [PROGRAMFILES, PROGRAMFILES_X86, LOCALAPPDATA].filter(Boolean).flatMap((folder) => below.map((path) => join(folder, path)));
  }
  const folders = [...PATH.split(delimiter), "/usr/bin", "/usr/local/bin", "/snap/bin", "/opt/google/chrome", "/opt/microsoft/msedge"];
  return [...new Set(folders.filter(Boolean))].flatMap((folder) => NAMES.map((name) => join(folder, name)));
}

/** Browsers a developer asked puppeteer to download at some time, newest first. */
function puppeteerCache() {
  const root = join(process.env.PUPPETEER_CACHE_DIR ?? join(homedir(), ".cache", "puppeteer"), "chrome");
  if (!existsSync(root)) return [];
  const inside = {
    linux: ["chrome-linux64/chrome"],
    darwin: ["arm64", "x64"].map((arch) => `chrome-mac-${arch}/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing`),
    win32: ["chrome-win64/chrome.exe"],
  };
  const newestFirst = readdirSync(root).sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return newestFirst.flatMap((version) => (inside[process.platform] ?? []).map((path) => join(root, version, path)));
}

/** The version a browser tells, "" when it does not run. Windows' Chrome opens a window when asked, so there the file is enough. */
async function version(path) {
  if (process.platform === "win32") return "version unknown";
  const { code, output } = await run(path, ["--version"], { timeoutMs: 30_000 });
  return code === 0 ? (output.match(/^.*\b\d+\.\d+\..*$/m)?.[0].trim() ?? "") : "";
}

async function findChromium() {
  for (const name of ["CHROME_PATH", "PUPPETEER_EXECUTABLE_PATH"]) {
    const path = process.env[name];
    if (!path) continue;
    const told = existsSync(path) ? await version(path) : "";
    if (!told) throw new Problem(`${name} must be a Chromium or Chrome that runs, got ${path}. Correct or unset it.`);
    return { path, version: told };
  }
  for (const path of [...usualPaths(), ...puppeteerCache()]) {
    if (!existsSync(path)) continue;
    const told = await version(path);
    if (told) return { path, version: told };
  }
  return undefined;
}

export async function ensureChromium() {
  let found = await findChromium();
  // Ubuntu's package is a snap, which needs a running snapd that containers lack: there it is for the user to choose.
  if (!found && aptUsable() && osRelease().id !== "ubuntu") {
    say("Installing Chromium for the browser tests …");
    const { ok, output } = await aptInstall(["chromium"]);
    found = await findChromium();
    if (!found) say(ok ? "  the package brought no browser that runs here" : lastLines(output, 15));
  }
  if (found) return found;
  const remedy =
    process.platform === "linux"
      ? "Install Chromium (Debian: apt-get install chromium, Ubuntu: snap install chromium, Fedora: dnf install chromium, Arch: pacman -S chromium) or Google Chrome"
      : "Install Google Chrome or Chromium";
  throw new Problem(`No Chromium was found, and the browser tests need one.\n${remedy}, or set CHROME_PATH to one.`);
}
