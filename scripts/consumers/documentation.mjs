// The documentation as `npm start` serves it: the page links to it, its pages show, its search finds without a network.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CACHE, Problem, ROOT } from "../tools.mjs";
import { host, says } from "./browser.mjs";

const WAIT_MS = 180_000;

/** `npm start` on a port of its own; gives the page's address and what ends it. */
async function start() {
  const child = spawn(process.execPath, [join(ROOT, "scripts/start.mjs"), "--no-open", "--port", "5890", "--host", "127.0.0.1"], { cwd: ROOT });
  let said = "";
  const address = await new Promise((found, failed) => {
    const hear = (chunk) => {
      said += chunk;
      const [, url] = /SAM-Med2D is at (\S+)/.exec(said) ?? [];
      if (url) found(url);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => failed(new Problem(`npm start ended with code ${code}:\n${said}`)));
  });
  return { address, stop: () => child.kill() };
}

async function documentation(shop) {
  // Built at the first visit, with every address in it tried.
  rmSync(join(ROOT, "dist", "docs"), { recursive: true, force: true });
  const { address, stop } = await start();
  try {
    const [, link] = /<a href="([^"]*)"[^>]*data-t="page\.manual"/.exec(await (await fetch(address)).text()) ?? [];
    if (!link) throw new Problem("the page has no link to its documentation");
    const docs = new URL(link, address);
    const missing = await fetch(new URL("no_such_page.html", docs));
    if (missing.status !== 404) throw new Problem(`a page that is not there: status ${missing.status}\n${await missing.text()}`);
    return await shop.browser.visit(docs.href, async (page) => {
      const foreign = [];
      page.on("request", (request) => {
        if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== docs.origin) foreign.push(request.url());
      });
      await page.waitForSelector("h1", { timeout: WAIT_MS });
      const title = await page.$eval("h1", (element) => element.textContent);
      if (!/Start in five minutes/.test(title)) throw new Problem(`the first page is ${title}`);
      // The index comes with the search box; from then on no network is needed.
      await page.click("button.DocSearch-Button");
      const box = await page.waitForSelector(".VPLocalSearchBox input", { timeout: WAIT_MS });
      await page.waitForNetworkIdle({ idleTime: 500, timeout: WAIT_MS });
      await page.setOfflineMode(true);
      await box.type("fingerprint");
      await page.waitForSelector(".VPLocalSearchBox .result", { timeout: WAIT_MS });
      const first = await page.$eval(".VPLocalSearchBox .result", (element) => element.textContent.trim().replace(/\s+/g, " "));
      const pictures = join(CACHE, "screenshots");
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, "docs_search.png") });
      await page.setOfflineMode(false);
      await page.keyboard.press("Enter");
      await page.waitForFunction((from) => location.href !== from, { timeout: WAIT_MS, polling: 100 }, docs.href);
      if (foreign.length > 0) throw new Problem(`asked elsewhere: ${foreign.join(", ")}`);
      return `search without a network finds “${first}”`;
    });
  } finally {
    stop();
  }
}

/** The page of docs/index.md, and the two lines that go without a bundler. */
function startInFiveMinutes() {
  const text = readFileSync(join(ROOT, "docs/index.md"), "utf8");
  const [page, map] = [...text.matchAll(/^```html\n([\s\S]*?)^```/gm)].map(([, code]) => code);
  const [, weights] = /^```js\n([\s\S]*?)^```/m.exec(text) ?? [];
  const line = /^ *import weights .*\n/m;
  if (!map || !weights || !line.test(page)) throw new Problem("docs/index.md has no page, import map or weights");
  const icon = '<link rel="icon" href="data:," />\n';
  return { bundled: icon + page, plain: icon + page.replace(line, weights).replace('<script type="module">', `${map}<script type="module">`) };
}

const segmented = (page) => says(page, /predicted IoU|not|expected/);

async function inFiveMinutes(shop) {
  const { bundled, plain } = startInFiveMinutes();
  const project = shop.project("five_minutes", {});
  writeFileSync(join(project, "index.html"), bundled);
  const { createServer } = await import(pathToFileURL(shop.tool("vite", "dist/node/index.js")).href);
  const options = { root: project, configFile: false, logLevel: "error", cacheDir: join(project, ".vite"), server: { port: 0, host: "127.0.0.1" } };
  // The library lies above the project here, beside it in a reader's folder.
  options.server.fs = { allow: [shop.folder] };
  const dev = await createServer(options);
  const server = await host({ mounts: { "/node_modules/sam-med2d-webgpu/": shop.library }, files: { "/": plain } });
  try {
    await dev.listen();
    const withVite = await shop.browser.visit(`http://127.0.0.1:${dev.httpServer.address().port}/`, segmented);
    const without = await shop.browser.visit(`${server.origin}/`, segmented);
    if (withVite !== without || !/^\d{4} pixels/.test(withVite)) throw new Problem(`with Vite: ${withVite}; without: ${without}`);
    return withVite;
  } finally {
    server.close();
    await dev.close();
  }
}

export const DOCUMENTATION = [
  { name: "documentation, as npm start serves it", run: documentation },
  { name: "start in five minutes, as it is written", run: inFiveMinutes },
];
