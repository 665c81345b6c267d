// npm start: installs what is missing, serves the page on this machine and opens it.
// --page /bench/ opens another page, --no-open opens none, --port N asks for a port, --host H for an address other than loopback.
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";
import { markdown } from "./check_docs.mjs";
import { buildDocs } from "./docs.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { isCurrent, isMain, ROOT, runMain, say } from "./tools.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json" };

const DOCS = join(ROOT, "dist", "docs");

/** The documentation under /docs/. Where `npm run docs` has not built it since its pages were written, the first who asks for it waits until it is. */
function documentation() {
  let building;
  const built = async () => {
    const pages = markdown().map((name) => join(ROOT, name));
    if (isCurrent(join(DOCS, "index.html"), pages)) return;
    building ??= buildDocs();
    await building;
  };
  const answer = async (request, response) => {
    await built();
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    let file = join(DOCS, normalize(path));
    if (existsSync(file) && statSync(file).isDirectory()) file = join(file, "index.html");
    const found = file.startsWith(DOCS) && existsSync(file);
    if (!found) file = join(DOCS, "404.html");
    response.writeHead(found ? 200 : 404, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
  };
  return {
    name: "documentation",
    configureServer({ middlewares }) {
      middlewares.use("/docs", (request, response) => {
        answer(request, response).catch((error) => response.writeHead(500, { "content-type": "text/plain" }).end(`${error?.message ?? error}\n`));
      });
    },
  };
}

function browserWanted() {
  if (process.env.CI || process.env.SSH_CONNECTION) return false;
  return process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

async function main() {
  const { values } = parseArgs({
    options: {
      page: { type: "string", default: "/" },
      port: { type: "string", default: "5173" },
      host: { type: "string", default: "localhost" },
      "no-open": { type: "boolean", default: false },
    },
  });
  await ensureDependencies({ build: true });
  const { createServer } = await import("vite");
  const open = !values["no-open"] && browserWanted();
  const server = await createServer({
    root: ROOT,
    configFile: `${ROOT}/vite.config.ts`,
    logLevel: "warn",
    plugins: [documentation()],
    server: { host: values.host, port: Number(values.port), open: open ? values.page : false },
  });
  await server.listen();
  const address = server.resolvedUrls?.local[0] ?? `http://localhost:${server.config.server.port}/`;
  say(`SAM-Med2D is at ${new URL(values.page, address).href}${open ? " and opens in your browser" : ""}, the documentation is at /docs/. Ctrl+C ends it.`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close().finally(() => process.exit(0)));
}

if (isMain(import.meta)) await runMain(main);
