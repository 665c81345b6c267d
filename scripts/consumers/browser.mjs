// Pages of the matrix in the real browser: a static host with the headers a consumer asks for, and one Chromium for all of them.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { CACHE, Problem, ROOT, readJson } from "../tools.mjs";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};
const WEIGHTS = join(ROOT, "weights", readJson(join(ROOT, "weights", "sam-med2d-tiny.json")).file);
/** A page of a software adapter compiles and runs the network twice: it ends what hangs. */
const PAGE_MS = 600_000;
/** Milliseconds between two looks at a page: looked at in each of its frames, as Puppeteer does, it makes sixty a second. */
const LOOK_MS = 100;
/** Pages at the same time: one alone leaves a sixth of two cores. */
const OPEN = 2;

/** Folders by path prefix, text by path; `/weights.safetensors` is the default model. Gives `{ origin, close }`. */
export async function host({ mounts = {}, files = {}, headers = {} }) {
  const all = Object.entries(mounts).sort(([a], [b]) => b.length - a.length);
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    if (request.method === "OPTIONS") return void response.writeHead(204, headers).end();
    if (files[path] !== undefined) return void response.writeHead(200, { ...headers, "content-type": TYPES[extname(path)] ?? "text/html" }).end(files[path]);
    const mount = all.find(([prefix]) => path.startsWith(prefix));
    let file = path.endsWith("/weights.safetensors") ? WEIGHTS : mount && join(mount[1], path.slice(mount[0].length));
    if (file && existsSync(file) && statSync(file).isDirectory()) file = join(file, "index.html");
    if (!file || normalize(path).includes("..") || !existsSync(file)) return void response.writeHead(404, headers).end();
    response.writeHead(200, { ...headers, "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** A Chromium with SwiftShader, started when the first page is wanted. */
export function openBrowser() {
  let starting;
  const launch = async () => {
    const setup = readJson(join(CACHE, "setup.json"));
    if (!setup?.chromium?.path) throw new Problem("Chromium is not set up. Run: npm run setup");
    const { default: puppeteer } = await import("puppeteer");
    const args = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--disable-background-networking", "--no-first-run"];
    // Dawn's own choice of a driver is not Chromium's.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in setup.env)));
    const start = (sandbox) => puppeteer.launch({ executablePath: setup.chromium.path, args: [...args, ...sandbox], env, protocolTimeout: 600_000 });
    if (process.getuid?.() === 0) return start(["--no-sandbox"]);
    return start([]).catch(() => start(["--no-sandbox"]));
  };
  const browser = () => {
    starting ??= launch();
    return starting;
  };
  const open = new Set();
  return {
    /** Two pages at a time. Opens the address, waits for `globalThis.result`, gives it; with `use` whatever that makes of the page. Console errors are errors. */
    async visit(url, use = async (page) => await resultOf(page)) {
      while (open.size >= OPEN) await Promise.race(open);
      const visiting = visited(url, use);
      const ended = visiting.catch(() => undefined).finally(() => open.delete(ended));
      open.add(ended);
      return await visiting;
    },
    close: async () => (await starting?.catch(() => undefined))?.close(),
  };

  async function visited(url, use) {
    // A window of its own: what is behind another tab is not drawn.
    const context = await (await browser()).createBrowserContext();
    const page = await context.newPage();
    const errors = [];
    page.on("console", (message) => message.type() === "error" && errors.push(`${message.text()} (${message.location().url ?? ""})`));
    page.on("pageerror", (error) => errors.push(error?.message ?? `${error}`));
    try {
      await page.setViewport({ width: 1200, height: 800 });
      await page.goto(url, { waitUntil: "load" });
      const found = await use(page).catch((error) => {
        throw new Problem([error?.message ?? `${error}`, ...errors].join("\n"));
      });
      if (errors.length > 0) throw new Problem(errors.join("\n"));
      return found;
    } finally {
      await context.close();
    }
  }
}

export async function resultOf(page) {
  await page.waitForFunction(() => globalThis.result !== undefined, { timeout: PAGE_MS, polling: LOOK_MS });
  const result = await page.evaluate(() => globalThis.result);
  if (result.error) throw new Problem(result.error);
  return result;
}

/** Waits until the line that tells the user how it stands says `words`, gives it. */
export async function says(page, words) {
  await page.waitForFunction(
    (pattern) => new RegExp(pattern).test(document.querySelector("[role=status]")?.textContent ?? ""),
    { timeout: PAGE_MS, polling: LOOK_MS },
    words.source,
  );
  return await page.$eval("[role=status]", (element) => element.textContent);
}
