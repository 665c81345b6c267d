// Consumers whose page segments in the browser, on the main thread and in the worker. Each gives what its page found.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { host } from "./browser.mjs";
import { CONSUMERS } from "./workshop.mjs";

const PAGE = { page: join(CONSUMERS, "page") };
const source = (name) => readFileSync(join(CONSUMERS, "page", name), "utf8");
const html = (script, head = "") => `<!doctype html><meta charset="utf-8"><title>Consumer</title><link rel="icon" href="data:,">${head}${script}`;
const importMap = (imports) => `<script type="importmap">${JSON.stringify({ imports })}</script>`;
const entries = (base, query = "") => ({ "sam-med2d-webgpu": `${base}index.js${query}`, "sam-med2d-webgpu/client": `${base}client.js${query}` });

/** Serves for the time of a visit. */
async function visitOn(shop, options, path = "/") {
  const server = await host(options);
  try {
    return await shop.browser.visit(`${server.origin}${path}`);
  } finally {
    server.close();
  }
}

const unbundled = (worker) => `import { segmentTwice } from "./segment.js"; segmentTwice(() => new Worker(${worker}, { type: "module" }));`;

/** No build: the files of dist/ as they are. `query` is put behind every entry's address. */
async function plain(shop, { query = "", headers = {} } = {}) {
  const files = {
    "/": html('<script type="module" src="/main.js"></script>', importMap(entries("/lib/", query))),
    "/segment.js": source("segment.js"),
    "/main.js": unbundled(`"/lib/worker.js${query}"`),
  };
  return await visitOn(shop, { files, headers, mounts: { "/lib/": join(shop.library, "dist") } });
}

/** An import map, and every kind of image that a page has. */
async function everySource(shop) {
  const main = 'import { segmentTwice } from "./segment.js"; import { everySource } from "./sources.js";';
  const files = {
    "/": html('<script type="module" src="/main.js"></script>', importMap(entries("/lib/"))),
    "/segment.js": source("segment.js"),
    "/sources.js": source("sources.js"),
    "/main.js": `${main} segmentTwice(() => new Worker("/lib/worker.js", { type: "module" }), everySource);`,
  };
  return await visitOn(shop, { files, mounts: { "/lib/": join(shop.library, "dist") } });
}

/** No inline script, nothing from elsewhere; without an import map the addresses stand in the source. */
async function strictCsp(shop) {
  const named = source("segment.js").replace('"sam-med2d-webgpu"', '"/lib/index.js"').replace('"sam-med2d-webgpu/client"', '"/lib/client.js"');
  const files = { "/": html('<script type="module" src="/main.js"></script>'), "/segment.js": named, "/main.js": unbundled('"/lib/worker.js"') };
  const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src data:; require-trusted-types-for 'script'";
  // Trusted types ask for a policy before a worker's address is taken.
  files["/main.js"] = files["/main.js"].replace(
    '"/lib/worker.js"',
    'trustedTypes.createPolicy("worker", { createScriptURL: (url) => url }).createScriptURL("/lib/worker.js")',
  );
  return await visitOn(shop, { files, headers: { "content-security-policy": policy }, mounts: { "/lib/": join(shop.library, "dist") } });
}

/** Library and weights from another origin, which allows it. A worker must be of the page's own: one line that imports the other's. */
async function otherOrigin(shop) {
  const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "range" };
  const other = await host({ headers, mounts: { "/lib/": join(shop.library, "dist") } });
  try {
    const worker = `URL.createObjectURL(new Blob(['import "${other.origin}/lib/worker.js";'], { type: "text/javascript" }))`;
    const files = {
      "/": html('<script type="module" src="/main.js"></script>', importMap(entries(`${other.origin}/lib/`))),
      "/segment.js": source("segment.js"),
      "/main.js": unbundled(worker),
    };
    return await visitOn(shop, { files }, `/?weights=${other.origin}/weights.safetensors`);
  } finally {
    other.close();
  }
}

async function vite(shop, tool, path = "/") {
  const project = shop.project(`${tool}${path.replaceAll("/", "_")}`, { page: PAGE.page });
  const out = join(project, "dist");
  // Before Vite 8 a worker with parts needs its format said.
  writeFileSync(join(project, "vite.config.mjs"), `export default { root: "page", base: "./", worker: { format: "es" }, build: { outDir: "../dist" } };`);
  await shop.node(shop.tool(tool, "bin/vite.js"), ["build", "--logLevel", "warn"], { cwd: project });
  return await visitOn(shop, { mounts: { [path]: out } }, `${path}?weights=${path}weights.safetensors`);
}

async function viteDev(shop, tool) {
  const project = shop.project(`${tool}_dev`, PAGE);
  writeFileSync(join(project, "page", "vite.config.mjs"), "export default {};");
  const weights = await host({ headers: { "access-control-allow-origin": "*" } });
  const { createServer } = await import(pathToFileURL(shop.tool(tool, "dist/node/index.js")).href);
  const root = join(project, "page");
  const server = await createServer({
    root,
    logLevel: "error",
    cacheDir: join(project, ".vite"),
    server: { port: 0, host: "127.0.0.1", fs: { strict: false } },
  });
  try {
    await server.listen();
    const { port } = server.httpServer.address();
    return await shop.browser.visit(`http://127.0.0.1:${port}/?weights=${weights.origin}/weights.safetensors`);
  } finally {
    await server.close();
    weights.close();
  }
}

async function webpack(shop) {
  const project = shop.project("webpack", PAGE);
  await shop.node(shop.tool("webpack", "bin/webpack.js"), ["--entry", "./page/bundled.js", "--output-path", join(project, "dist"), "--mode", "production"], {
    cwd: project,
  });
  return await visitOn(shop, { files: { "/": html('<script type="module" src="main.js"></script>') }, mounts: { "/": join(project, "dist") } });
}

async function rollup(shop) {
  const project = shop.project("rollup", PAGE);
  const args = ["--input", "page/second_entry.js", "--input", "page/worker.js", "--dir", "dist", "--plugin", "node-resolve", "--silent"];
  await shop.node(shop.tool("rollup", "dist/bin/rollup"), args, { cwd: project });
  return await visitOn(shop, { files: { "/": html('<script type="module" src="second_entry.js"></script>') }, mounts: { "/": join(project, "dist") } });
}

async function esbuild(shop) {
  const project = shop.project("esbuild", PAGE);
  const args = ["page/second_entry.js", "page/worker.js", "--bundle", "--splitting", "--format=esm", "--outdir=dist", "--log-level=warning"];
  await shop.node(shop.tool("esbuild", "bin/esbuild"), args, { cwd: project });
  return await visitOn(shop, { files: { "/": html('<script type="module" src="second_entry.js"></script>') }, mounts: { "/": join(project, "dist") } });
}

async function parcel(shop) {
  const project = shop.project("parcel", PAGE);
  const page = join(project, "page", "index.html");
  writeFileSync(page, readFileSync(page, "utf8").replace("bundled.js", "parcel.js"));
  writeFileSync(join(project, "page", "parcel.js"), source("second_entry.js"));
  const args = ["build", "page/index.html", "--dist-dir", "dist", "--public-url", "./", "--no-cache", "--log-level", "warn"];
  await shop.node(shop.tool("parcel", "lib/bin.js"), args, { cwd: project });
  return await visitOn(shop, { mounts: { "/": join(project, "dist") } });
}

async function next(shop) {
  const project = shop.project("next", { ...PAGE, app: join(CONSUMERS, "next", "app") });
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(project, "next.config.mjs"), `export default { output: "export", turbopack: { root: ${JSON.stringify(shop.root)} } };`);
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };
  await shop.node(shop.tool("next", "dist/bin/next"), ["build"], { cwd: project, env });
  return await visitOn(shop, { mounts: { "/": join(project, "out") }, files: { "/favicon.ico": "" } });
}

export const PAGES = [
  { name: "import map, every kind of image", run: everySource },
  { name: "import map, addresses with a query", run: (shop) => plain(shop, { query: "?v=1" }) },
  { name: "strict content security policy", run: strictCsp },
  { name: "another origin", run: otherOrigin },
  { name: "Vite 8, dev", run: (shop) => viteDev(shop, "vite") },
  { name: "Vite 8, build", run: (shop) => vite(shop, "vite") },
  { name: "Vite 8, build, in a folder of a site", run: (shop) => vite(shop, "vite", "/some/where/") },
  { name: "Vite 7, dev", run: (shop) => viteDev(shop, "vite-7") },
  { name: "Vite 7, build", run: (shop) => vite(shop, "vite-7") },
  { name: "webpack 5", run: webpack },
  { name: "Rollup 4", run: rollup },
  { name: "esbuild", run: esbuild },
  { name: "Parcel 2", run: parcel },
  { name: "Next 16", run: next },
];
