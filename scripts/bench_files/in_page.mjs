// The same series on the built page and on one of dwv: from the drop to the first slice on the screen, then through all of it.
// Runs in Chromium: each page in a browser of its own, so that the peak of its process is its own.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, Problem, readJson, ROOT } from "../tools.mjs";

/** Steps a second of somebody who looks for something. */
const PACE = 10;
/** What reading ahead takes to get going. */
const WARM = 20;

const DWV_PAGE = `<!doctype html><meta charset="utf-8"><title>dwv</title><link rel="icon" href="data:,"><input type="file" id="files" multiple>
<div id="view" style="width:800px;height:800px"></div>
<script type="module">
import { App, AppOptions, ViewConfig } from "dwv";
const app = new App();
app.init(new AppOptions({ "*": [new ViewConfig("view")] }));
document.querySelector("#files").addEventListener("change", ({ target }) => app.loadFiles([...target.files]));
window.step = () => app.getActiveLayerGroup().getPositionHelper().incrementPositionAlongScroll();
app.addEventListener("loadend", () => { window.loaded = true; });
</script>`;

/** Built with what it imports, by the bundler that builds our own page. */
export async function buildDwv(peers) {
  const out = join(CACHE, "bench_files_dwv");
  const root = join(peers, "dwv_page");
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "index.html"), DWV_PAGE);
  const { build } = await import("vite");
  await build({ root, configFile: false, logLevel: "error", build: { outDir: out, emptyOutDir: true, target: "esnext" } });
  // It asks for its workers beside its own script.
  cpSync(join(peers, "node_modules/dwv/dist/assets"), join(out, "assets"), { recursive: true });
  return out;
}

const PAGES = {
  ours: {
    input: "#open-image",
    canvas: "#canvas",
    step: 'document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "PageDown", code: "PageDown", bubbles: true }))',
    ready: 'document.querySelectorAll(".case").length >= 6',
    // Each slice is a canvas of its own, painted again when anything else changes.
    painted: "false",
    open: '(document.querySelector("#slice-place")?.value ?? "").includes(" of ")',
    middle: (slices) => slices >> 1,
  },
  dwv: { input: "#files", canvas: "#view canvas", step: "step()", ready: "window.step", open: "window.paints > 0", painted: "true", middle: () => 0 },
};

/** Renderer processes of a browser, the largest peak of memory among them: bytes. */
function peakMemory(parent) {
  const peaks = [0];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes("--type=renderer") || !below(pid, parent)) continue;
      peaks.push(1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0));
    } catch {
      // Ended meanwhile.
    }
  }
  return Math.max(...peaks);
}

function below(pid, ancestor) {
  for (let at = Number(pid); at > 1; ) {
    if (at === ancestor) return true;
    at = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${at}/stat`, "utf8"))?.[1] ?? 0);
  }
  return false;
}

/** Runs in the page before its scripts: counts what is painted on its canvas, and remembers from what. Reading pixels back would cost more than they did. */
function counting({ canvas }) {
  window.paints = 0;
  for (const name of ["drawImage", "putImageData"]) {
    const paint = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (source, ...rest) {
      // A view may be painted on a canvas beside the document first.
      if (this.canvas.matches(canvas) && source !== window.painted) {
        window.paints++;
        if (window.newSources) window.painted = source;
      }
      return paint.call(this, source, ...rest);
    };
  }
  window.frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
}

/** Runs in the page: `first` ends with the frame in which a picture of the files was painted. */
function watching({ input }) {
  window.first = new Promise((done) => {
    document.querySelector(input).addEventListener(
      "change",
      async () => {
        const start = performance.now();
        while (!window.isOpen()) await window.frame();
        const before = window.paints;
        while (window.paints === before && !window.isPainted()) await window.frame();
        await window.frame();
        done(performance.now() - start);
      },
      { capture: true, once: true },
    );
  });
}

/** Runs in the page: a step at a time, `pause` ms apart or as fast as they are painted. Milliseconds from each step to its picture. */
async function scrolling(steps, pause) {
  const times = [];
  for (let i = 0; i < steps; i++) {
    const before = window.paints;
    const start = performance.now();
    window.step();
    while (window.paints === before) {
      if (performance.now() - start > 60_000) return { times, stuck: i };
      await window.frame();
    }
    times.push(performance.now() - start);
    const rest = pause - (performance.now() - start);
    if (rest > 0) await new Promise((done) => setTimeout(done, rest));
  }
  return { times };
}

/** Gives milliseconds: `first` from the drop to a slice on the screen, `steps` at a person's pace once warm, `fast` for a step when nothing is waited for. */
export async function measurePage(name, { dwv, files }) {
  const site = name === "ours" ? join(ROOT, "dist/site") : dwv;
  const setup = readJson(join(CACHE, "setup.json"));
  if (!setup?.chromium?.path || !existsSync(site)) throw new Problem("Chromium or the built page is missing. Run: npm run setup && npm run build");
  const { default: puppeteer } = await import("puppeteer");
  const { preview } = await import("vite");
  const server = await preview({ root: ROOT, configFile: false, build: { outDir: site }, preview: { port: 0, host: "127.0.0.1" } });
  // Without WebGPU: a model that loads and encodes on a software adapter would have both cores.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await puppeteer.launch({ executablePath: setup.chromium.path, args, protocolTimeout: 900_000 });
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1440, height: 900 });
    const { input, canvas, step, ready, open, painted, middle } = PAGES[name];
    await page.evaluateOnNewDocument(counting, { canvas });
    await page.goto(server.resolvedUrls.local[0]);
    await page.waitForFunction(ready, { timeout: 60_000 });
    // As text: the policy of our page lets it make no functions of strings itself.
    await page.evaluate(
      `window.isOpen = () => ${open}; window.isPainted = () => ${painted}; window.step ??= () => ${step}; window.newSources = ${name === "ours"}`,
    );
    await page.evaluate(watching, { input });
    await (await page.$(input)).uploadFile(...files);
    const first = await page.evaluate(() =>
      Promise.race([window.first, new Promise((_, reject) => setTimeout(reject, 120_000, new Error("nothing was shown within two minutes")))]),
    );
    if (name === "dwv") await page.waitForFunction("window.loaded", { timeout: 600_000 });
    const left = files.length - 1 - middle(files.length);
    const paced = Math.min(left, WARM + 60);
    const steady = await page.evaluate(scrolling, paced, 1000 / PACE);
    const fast = await page.evaluate(scrolling, left - paced - 1, 0);
    const stuck = steady.stuck ?? fast.stuck;
    if (stuck !== undefined) throw new Error(`${name} drew nothing new for a minute after step ${stuck}`);
    return { first, steps: steady.times.slice(WARM), fast: fast.times, memory: peakMemory(browser.process().pid) };
  } finally {
    await browser.close();
    await server.close();
  }
}
