// What comparisons with other libraries share: folders on loopback, the network as ONNX, a Chromium of its own, what its processes hold.
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { CACHE, lastLines, Problem, ROOT, readJson, run, say } from "../tools.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };

export const NETWORKS = ["small", "default", "vit_b", "lite_medsam", "tiny_vit", "slimsam", "slimsam_50", "sam_b", "sam_l", "sam_h"];
/** Those of them that are a plain ViT, whose blocks repeat. */
export const PLAIN_VITS = ["small", "vit_b", "slimsam", "slimsam_50", "sam_b", "sam_l", "sam_h"];
export const BLOCKS = ["windowed", "global"];

/** Folders by path prefix, `page` at `/`. Two headers let a page use threads. `sent` has the bytes of each file that was asked for, by path. */
export async function serve(page, mounts) {
  const sent = new Map();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
    if (path === "/") return void response.writeHead(200, { ...headers, "content-type": "text/html" }).end(page);
    const mount = Object.entries(mounts).find(([prefix]) => path.startsWith(prefix));
    const file = mount && join(mount[1], path.slice(mount[0].length));
    if (!file || normalize(path).includes("..") || !existsSync(file)) return void response.writeHead(404).end();
    sent.set(path, statSync(file).size);
    response.writeHead(200, { ...headers, "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${server.address().port}`, sent, close: () => server.close() };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const EXPORT_NEEDS = ["torch", "numpy", "scipy", "onnx"];

/** Which packages of bench/export_onnx.py a Python lacks: all of them where there is no such program. */
export async function lackedBy(python) {
  const script = `from importlib.util import find_spec; print("lacks", *[name for name in ${JSON.stringify(EXPORT_NEEDS)} if find_spec(name) is None])`;
  const { code, output } = await run(python, ["-c", script]);
  const [, names] = /^lacks(.*)$/m.exec(output) ?? [];
  return code === 0 && names !== undefined ? names.split(" ").filter(Boolean) : EXPORT_NEEDS;
}

/** A folder with the network, or with a few `blocks` of its encoder at images of `size`, as ONNX (bench/export_onnx.py), made once; undefined, and said, where the Python lacks what that needs. */
export async function exportOnnx(config, layout, python, blocks = [], size = undefined) {
  const sized = size ? ["--size", String(size)] : [];
  const out = join(CACHE, ["peers", config, ...blocks, ...sized.slice(1), layout].join("_"));
  if (existsSync(join(out, "peers.json"))) return out;
  say(`Exporting ${config}, ${layout}, with ${python} …`);
  const missing = await lackedBy(python);
  if (missing.length > 0) {
    say(
      `Skipped: ${python} has no ${missing.join(", ")} to export the network with. Install: pip install ${missing.join(" ")}; or name one that has: --python PROGRAM`,
    );
    return undefined;
  }
  const script = join(ROOT, "bench/export_onnx.py");
  const cut = blocks.length > 0 ? ["--blocks", blocks.join(",")] : [];
  const options = ["--reference", join(ROOT, "tests/reference"), "--config", config, "--layout", layout, ...cut, ...sized, "--out", out];
  const { code, output } = await run(python, ["-B", script, ...options]);
  if (code !== 0) throw new Problem(`${lastLines(output, 20)}\n\nThe reference could not be exported: see above.`);
  return out;
}

export async function openBrowser({ gpu = false } = {}) {
  const setup = readJson(join(CACHE, "setup.json"));
  if (!setup?.chromium?.path) throw new Problem("Chromium is not set up. Run: npm run setup");
  const { default: puppeteer } = await import("puppeteer");
  const adapter = gpu ? ["--enable-features=Vulkan", "--ignore-gpu-blocklist"] : ["--use-webgpu-adapter=swiftshader"];
  return await puppeteer.launch({
    executablePath: setup.chromium.path,
    args: ["--enable-unsafe-webgpu", ...adapter, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    // A full-size encode on a software adapter takes minutes to hours with another library, and no message comes back before it ends.
    protocolTimeout: 6 * 3_600_000,
  });
}

/** Ids of a browser's processes: its own and all below it (Linux). */
function processesOf(browser) {
  const parents = new Map();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const root = browser.process().pid;
  const below = (pid) => pid === root || (parents.has(pid) && below(parents.get(pid)));
  return [...parents.keys()].filter(below);
}

/** What `read` finds in a file of each of a browser's processes, summed. */
function sumOver(browser, file, read) {
  let sum = 0;
  for (const pid of processesOf(browser)) {
    try {
      sum += read(readFileSync(`/proc/${pid}/${file}`, "utf8"));
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum;
}

/** Bytes that a browser's processes hold, what they share counted once (Linux; elsewhere undefined). A software adapter's "GPU memory" is among them. */
export function memoryOf(browser) {
  if (!existsSync("/proc/self/smaps_rollup")) return undefined;
  return sumOver(browser, "smaps_rollup", (text) => 1024 * Number(/^Pss:\s+(\d+)/m.exec(text)?.[1]));
}

/** Seconds a browser's processes have spent on processors (Linux; elsewhere undefined): unlike the clock's, the same whatever else the machine does. */
export function processorSeconds(browser) {
  if (!existsSync("/proc/self/stat")) return undefined;
  // Fields 14 and 15, user and system time in hundredths, counted after the name in brackets, which may have spaces in it.
  return sumOver(browser, "stat", (text) => {
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
}
