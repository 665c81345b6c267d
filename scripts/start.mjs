// npm start: installs what is missing, serves the page on this machine and opens it.
// --page /bench/ opens another page, --no-open opens none, --port N asks for a port, --host H for an address other than loopback.
import { parseArgs } from "node:util";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { isMain, ROOT, runMain, say } from "./tools.mjs";

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
    server: { host: values.host, port: Number(values.port), open: open ? values.page : false },
  });
  await server.listen();
  const address = server.resolvedUrls?.local[0] ?? `http://localhost:${server.config.server.port}/`;
  say(`SAM-Med2D is at ${new URL(values.page, address).href}${open ? " and opens in your browser" : ""}. Ctrl+C ends it.`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close().finally(() => process.exit(0)));
}

if (isMain(import.meta)) await runMain(main);
