// The built page without a network, with a new version on the server, and all that it ever asks for.
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { click } from "../app/fake/killed.ts";
import { loadFrom, nothingAhead, ready, status, text, withSamples } from "../app/fake/page.ts";
import { ballNifti } from "../app/fake/volume.ts";
import { launchBrowser, newPage } from "../support/browser.ts";
import { type RecordingProxy, recordingProxy } from "../support/proxy.ts";
import { ROOT } from "../support/setup_file.ts";
import { type StaticServer, serve } from "../support/static_server.ts";

const SITE = join(ROOT, "dist", "site");
const WEIGHTS = join(ROOT, "weights");
const folder = mkdtempSync(join(tmpdir(), "app-offline-"));
const ball = join(folder, "ball.nii");
beforeAll(() => writeFileSync(ball, ballNifti()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tab(context: BrowserContext, address: string): Promise<Page> {
  const page = await newPage(context, withSamples("ct", "mr"));
  await page.goto(address, { waitUntil: "load" });
  await ready(page, 2);
  await nothingAhead(page);
  return page;
}

/** All of the page is on this machine. */
async function kept(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector<HTMLElement>("#offline")?.hidden === false, { timeout: 120_000 });
}

async function loaded(page: Page, name: RegExp): Promise<void> {
  await page.waitForFunction(
    (source) => new RegExp(`${source}.*Loaded in`, "s").test(document.querySelector("#model-facts")?.textContent ?? ""),
    { timeout: 120_000 },
    name.source,
  );
}

async function openBall(page: Page): Promise<void> {
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(ball);
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === "9 of 16", { timeout: 60_000 });
}

describe("a first visit, and one without a network", () => {
  let browser: Browser;
  let context: BrowserContext;
  let proxy: RecordingProxy;
  let server: StaticServer;
  let elsewhere: StaticServer;
  let named: string;
  beforeAll(async () => {
    server = await serve({ folder: SITE });
    elsewhere = await serve({ mounts: { "/": WEIGHTS }, headers: { "access-control-allow-origin": "*", "access-control-expose-headers": "*" } });
    named = `${elsewhere.origin}/sam-med2d-tiny.safetensors`;
    proxy = await recordingProxy();
    // What the browser asks for on its own account goes by its other profile.
    browser = await launchBrowser({ args: ["--disable-features=AutofillServerCommunication"] });
    context = await browser.createBrowserContext({ proxyServer: proxy.address, proxyBypassList: ["<-loopback>"] });
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([proxy.close(), server.close(), elsewhere.close()]);
  });

  it("over a whole session asks for the page's own files and for what its user named, and for nothing else", async () => {
    const page = await tab(context, `${server.origin}/`);
    await loaded(page, /sam-med2d-tiny/);
    await click(page, 150, 210);
    await status(page, /^Mask \d of 3/, 120_000);
    await page.keyboard.press("Enter");
    await openBall(page);
    await click(page, 30, 28);
    await status(page, /^Mask \d of 3/, 120_000);
    await loadFrom(page, named);
    await loaded(page, /sam-med2d-tiny/);
    await kept(page);
    await page.close();

    const asked = [...new Set(proxy.requests.map(({ method, url }) => `${method} ${url}`))];
    const files = readdirSync(SITE, { recursive: true }).map((name) => `${name}`.replaceAll("\\", "/").replace(/(^|\/)index\.html$/, "$1"));
    const own = new Set(files.map((name) => `GET ${server.origin}/${name}`));
    expect(asked.filter((one) => !own.has(one))).toEqual([`GET ${named}`]);
    expect(proxy.requests.filter(({ body }) => body > 0)).toEqual([]);
    console.log(`a whole session: ${proxy.requests.length} requests, ${asked.length} different, one to another server: the weights named`);
  });

  it("opens without a network: its model answers, a volume and the weights that were named are there", async () => {
    await Promise.all([proxy.close(), server.close(), elsewhere.close()]);
    const page = await tab(context, `${server.origin}/`);
    // The volume that was shown last is not at hand.
    await (await page.waitForSelector(".case[title='MR, head']"))?.click();
    await loaded(page, /sam-med2d-tiny/);
    await click(page, 150, 210);
    expect(await status(page, /^Mask \d of 3/, 120_000)).toContain("from 1 point");
    await openBall(page);
    await loadFrom(page, named);
    await page.waitForFunction(() => document.querySelector("#problems")?.textContent?.includes("the copy kept in this browser is used"), { timeout: 120_000 });
    await loaded(page, /sam-med2d-tiny/);
    expect(await text(page, "#problems")).not.toMatch(/can't be used|failed|not opened/);
    await page.close();
  });
});

describe("a page that is kept", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser({ webgpu: "none" });
  });
  afterAll(() => browser.close());

  it("takes a new version when it is told to, as a whole, while other tabs go on with theirs", async () => {
    const deployed = join(folder, "site");
    cpSync(SITE, deployed, { recursive: true });
    const server = await serve({ folder: deployed });
    const context = await browser.createBrowserContext();
    const page = await tab(context, `${server.origin}/`);
    await kept(page);
    const other = await tab(context, `${server.origin}/`);
    await page.bringToFront();

    // On its way to the server: the worker is there, the pages are the old ones.
    const change = versionOf(deployed);
    const worker = join(deployed, "service_worker.js");
    const before = readFileSync(worker, "utf8");
    writeFileSync(worker, before.replaceAll(change.from, change.to));
    expect(await look(page)).toBe("nothing");
    writeFileSync(worker, before);

    deploy(deployed, change);
    expect(await look(page)).toBe("waiting");
    await page.waitForFunction(() => document.querySelector("#problems")?.textContent?.includes("A new version"));
    await page.reload({ waitUntil: "load" });
    await ready(page, 2);
    expect(await page.title()).toBe("SAM-Med2D on WebGPU");
    await page.waitForFunction(() => document.querySelector("#problems")?.textContent?.includes("A new version"));

    const reloaded = page.waitForNavigation({ waitUntil: "load" });
    await page.evaluate(() => [...document.querySelectorAll<HTMLButtonElement>("#problems .actions button")].find((b) => b.textContent === "Reload")?.click());
    await reloaded;
    await ready(page, 2);
    expect(await page.title()).toBe("A new version");
    await openBall(page);
    // Its part for volumes is not on the server any more.
    expect(await other.title()).toBe("SAM-Med2D on WebGPU");
    await other.bringToFront();
    await openBall(other);
    await context.close();
    await server.close();
  });

  it("can be installed", async () => {
    const server = await serve({ folder: SITE });
    const context = await browser.createBrowserContext();
    const page = await tab(context, `${server.origin}/`);
    await kept(page);
    const client = await page.createCDPSession();
    const { url, data, errors } = await client.send("Page.getAppManifest");
    expect(url).toBe(`${server.origin}/manifest.webmanifest`);
    expect(errors).toEqual([]);
    expect(JSON.parse(data ?? "{}")).toMatchObject({ display: "standalone", start_url: "./" });
    for (const { src, sizes } of (JSON.parse(data ?? "{}") as { icons: { src: string; sizes: string }[] }).icons) {
      const png = readFileSync(join(SITE, src));
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
    }
    const { installabilityErrors } = await client.send("Page.getInstallabilityErrors");
    // A browser context of a test is like a private window: there nothing is installed.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
    await context.close();
    await server.close();
  });
});

interface Change {
  readonly from: string;
  readonly to: string;
}

function versionOf(site: string): Change {
  const from = /name="version" content="(\w+)"/.exec(readFileSync(join(site, "index.html"), "utf8"))?.[1] as string;
  return { from, to: [...from].reverse().join("") };
}

/** Another version of the site, in which a part that is fetched later has another name. */
function deploy(site: string, { from, to }: Change): void {
  const assets = join(site, "assets");
  const part = readdirSync(assets).find((name) => /^nifti-.*\.js$/.test(name)) as string;
  const renamed = part.replace(/\.js$/, "2.js");
  renameSync(join(assets, part), join(assets, renamed));
  const files = readdirSync(site, { recursive: true }).map((name) => join(site, `${name}`));
  for (const file of files.filter((name) => /\.(js|html)$/.test(name))) {
    const before = readFileSync(file, "utf8");
    const after = before.replaceAll(from, to).replaceAll(part, renamed).replace("<title>SAM-Med2D on WebGPU", "<title>A new version");
    if (after !== before) writeFileSync(file, after);
  }
}

/** Looks for a new version now, and gives what came of it. */
function look(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update().catch(() => {});
    const installing = registration.installing;
    if (installing) await new Promise((done) => installing.addEventListener("statechange", done, { once: true }));
    return registration.waiting ? "waiting" : "nothing";
  });
}
