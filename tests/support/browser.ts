// Headless Chromium on the built pages, for tests: launch, open, watch what the page logs and asks for, take screenshots.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import puppeteer, { type Browser, type BrowserContext, type Page } from "puppeteer";
import { afterAll, beforeAll } from "vitest";
import { QUICK } from "./quick.ts";
import { ROOT, readSetup } from "./setup_file.ts";
import { type ServeOptions, type StaticServer, serve } from "./static_server.ts";

/**
 * Chromium stays on this machine: nothing in the background, no first run, no QUIC. Nor are the pages made that drop down from its address bar,
 * two for each window, and each test has a window: they took as long as ours.
 */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
  "--disable-quic",
  "--disable-sync",
  "--metrics-recording-only",
  "--no-default-browser-check",
  "--no-first-run",
  "--no-pings",
];

export interface LaunchOptions {
  /** `software` (the default): SwiftShader, the same everywhere. `none`: a browser without WebGPU. `gpu`: what the machine has. */
  readonly webgpu?: "software" | "gpu" | "none";
  readonly args?: readonly string[];
}

export async function launchBrowser({ webgpu = "software", args = [] }: LaunchOptions = {}): Promise<Browser> {
  const adapter = {
    software: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    gpu: ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"],
    none: ["--disable-features=WebGPU,WebGPUService", "--disable-blink-features=WebGPU"],
  }[webgpu];
  const { chromium, env: dawnOnly } = readSetup();
  const env = { ...process.env };
  for (const [name, value] of Object.entries(dawnOnly)) if (env[name] === value) delete env[name];
  const launch = (sandbox: readonly string[]) =>
    puppeteer.launch({
      executablePath: chromium.path,
      headless: true,
      args: [...QUIET, ...sandbox, ...adapter, ...args],
      env,
      // A full-size encode on two cores takes minutes, and no message comes back before it ends.
      protocolTimeout: 900_000,
    });
  // Root has no sandbox, and neither have users where the system grants no namespaces, as in most containers. The pages are our own.
  if (process.getuid?.() === 0) return launch(["--no-sandbox"]);
  return launch([]).catch((error) => {
    if (!/sandbox/i.test(`${error}`)) throw error;
    return launch(["--no-sandbox"]);
  });
}

export const WIDTHS = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
export const SCHEMES = ["light", "dark"] as const;

/** What turns and slides while a page waits is painted sixty times a second, by processors. */
const STILL = { name: "prefers-reduced-motion", value: "reduce" } as const;

export interface PageOptions {
  readonly size?: keyof typeof WIDTHS;
  readonly scheme?: (typeof SCHEMES)[number];
  /** What the page has in its `localStorage` from an earlier visit. */
  readonly stored?: Readonly<Record<string, string>>;
}

export interface TestPage {
  readonly page: Page;
  /** Console errors and exceptions nobody caught. */
  readonly errors: string[];
  /** Addresses asked for, `data:` and `blob:` left out: those never leave the page. */
  readonly requests: string[];
  /** The requests that went to another origin than `origin`. */
  foreign(origin: string): string[];
}

export async function openPage(browser: Browser, url: string, options: PageOptions = {}): Promise<TestPage> {
  // What one test leaves in the browser's storage is none of the next one's.
  const page = await newPage(await browser.createBrowserContext(), options);
  const errors: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url ?? "no address"})`);
  });
  page.on("pageerror", (error) => errors.push(error instanceof Error ? error.message : `${error}`));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url())) requests.push(request.url());
  });
  await page.goto(url, { waitUntil: "load" });
  return { page, errors, requests, foreign: (origin) => requests.filter((request) => new URL(request).origin !== origin) };
}

/** Milliseconds between two looks at a page. */
const LOOK_MS = 50;

/**
 * `page.waitForFunction` as ever, but by the clock. Puppeteer's own way asks at every frame, and so has the page make sixty of them a second: a tenth of a
 * core for each page that waits.
 */
function waitWithoutFrames(page: Page): void {
  const wait = page.waitForFunction.bind(page);
  const nextFrame = () =>
    new Promise<void>((done) => {
      requestAnimationFrame(() => done());
      // A tab behind another one has none.
      setTimeout(done, 200);
    });
  page.waitForFunction = async (condition, options, ...args) => {
    const found = await wait(condition, { polling: LOOK_MS, ...options }, ...args);
    // What the page draws of it is drawn then; it may have gone meanwhile.
    await page.evaluate(nextFrame).catch(() => undefined);
    return found;
  };
}

/** A page of a window, before anything is opened in it. */
export async function newPage(context: BrowserContext, { size = "desktop", scheme = "light", stored = {} }: PageOptions = {}): Promise<Page> {
  const page = await context.newPage();
  await store(page, stored);
  waitWithoutFrames(page);
  await page.setViewport(WIDTHS[size]);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, STILL]);
  return page;
}

/** Before the page is opened: `localStorage` as an earlier visit has left it. */
async function store(page: Page, stored: Readonly<Record<string, string>>): Promise<void> {
  const put = (entries: readonly (readonly [string, string])[]) => {
    for (const [key, value] of entries) if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
  };
  if (Object.keys(stored).length > 0) await page.evaluateOnNewDocument(put, Object.entries(stored));
}

/** Writes `.cache/screenshots/NAME_SIZE_SCHEME.png` for both widths and both schemes, the page laid out anew for each. Gives the paths: none in haste. */
export async function screenshots(page: Page, name: string): Promise<string[]> {
  if (QUICK) return [];
  const folder = join(ROOT, ".cache", "screenshots");
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [size, viewport] of Object.entries(WIDTHS)) {
    await page.setViewport(viewport);
    for (const scheme of SCHEMES) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, STILL]);
      const path = join(folder, `${name}_${size}_${scheme}.png`) as `${string}.png`;
      await page.screenshot({ path });
      paths.push(path);
    }
  }
  return paths;
}

/** A browser and a server for a whole test file: `const site = useSite()`, then `await site.open("/")`. */
export function useSite(options: ServeOptions & LaunchOptions = {}) {
  let browser: Browser;
  let server: StaticServer;
  beforeAll(async () => {
    server = await serve({ folder: join(ROOT, "dist", "site"), ...options });
    browser = await launchBrowser(options);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  return {
    get browser() {
      return browser;
    },
    get origin() {
      return server.origin;
    },
    get server() {
      return server;
    },
    open: (path: string, pageOptions?: PageOptions) => openPage(browser, `${server.origin}${path}`, pageOptions),
  };
}
