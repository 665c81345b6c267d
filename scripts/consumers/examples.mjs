// The folders of examples/, as they are, with the packed library: pages are clicked and looked at (.cache/screenshots), programs run.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CACHE, Problem, ROOT, readJson } from "../tools.mjs";
import { host, says } from "./browser.mjs";

const WAIT_MS = 180_000;
const FOLDER = join(ROOT, "examples");

/** The folder as its one command serves it: by Vite's development server, which may fail where a build does not. */
async function served(shop, example, use) {
  mkdirSync(join(CACHE, "screenshots"), { recursive: true });
  const project = shop.project(`example-${example}`, { page: join(FOLDER, example) });
  const { createServer } = await import(pathToFileURL(shop.tool("vite", "dist/node/index.js")).href);
  const server = { port: 0, host: "127.0.0.1", fs: { allow: [shop.root] } };
  const dev = await createServer({ root: join(project, "page"), logLevel: "error", cacheDir: join(project, ".vite"), server });
  try {
    await dev.listen();
    return await use(`http://127.0.0.1:${dev.httpServer.address().port}/`, project);
  } finally {
    await dev.close();
  }
}

/** Clicks into the larger organ of the drawing, gives what the page says of the mask. */
async function clickOrgan(shop, name, url) {
  return await shop.browser.visit(url, async (page) => {
    await says(page, /^Ready|not|expected/);
    const canvas = await page.$("canvas");
    const { x, y } = await canvas.boundingBox();
    await page.mouse.click(x + 130, y + 190);
    const said = await says(page, /redicted IoU/);
    const pictures = join(CACHE, "screenshots");
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `example_${name}.png`) });
    // The mask is drawn: its green is full where the drawing was gray.
    const drawn = await page.$eval("canvas", (element) => {
      const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
      return data.filter((value, i) => i % 4 === 1 && value === 255).length;
    });
    if (drawn < 3000 || drawn > 40_000) throw new Problem(`${drawn} pixels are drawn as the mask`);
    return `${said}, ${drawn} pixels drawn`;
  });
}

async function scriptTag(shop) {
  const mounts = { "/node_modules/sam-med2d-webgpu/": shop.library, "/": join(FOLDER, "script-tag") };
  const server = await host({ mounts });
  try {
    return await clickOrgan(shop, "script-tag", `${server.origin}/`);
  } finally {
    server.close();
  }
}

async function react(shop) {
  return await served(shop, "react", (url) => clickOrgan(shop, "react", url));
}

/** NiiVue draws with WebGL: what it holds as the drawing is not read, its picture is kept to be looked at. */
async function niivue(shop) {
  return await served(shop, "niivue", (url) =>
    shop.browser.visit(url, async (page) => {
      await says(page, /^Ready|not|expected/);
      const { x, y, width, height } = await (await page.$("canvas")).boundingBox();
      // The larger organ, right of the middle in the volume, is left of it on the screen.
      const side = Math.min(width, height);
      await page.mouse.click(x + width / 2 - 0.16 * side, y + height / 2);
      const said = await says(page, /redicted IoU/);
      await page.screenshot({ path: join(CACHE, "screenshots", "example_niivue.png") });
      const pixels = Number(/(\d+) pixels/.exec(said)?.[1]);
      // The organ has 1301.
      if (pixels < 600 || pixels > 3000) throw new Problem(said);
      return said;
    }),
  );
}

/** Pixels that a line of the page's status gives, between bounds. */
function pixelsOf(said, least, most) {
  const pixels = Number(/(\d+) pixels/.exec(said)?.[1]);
  if (!(pixels >= least && pixels <= most)) throw new Problem(`between ${least} and ${most} pixels expected: ${said}`);
  return pixels;
}

/** All that the controller does in place of @cornerstonejs/ai's, by hand and by what the page says; pictures are kept to be looked at. */
async function cornerstone(shop) {
  return await served(shop, "cornerstone3d", async (url, project) => {
    // Its configuration is for a build too.
    await shop.node(shop.tool("vite", "bin/vite.js"), ["build", "--logLevel", "error", "--outDir", join(project, "dist")], { cwd: join(project, "page") });
    return await shop.browser.visit(url, async (page) => {
      await says(page, /^Ready|not|expected/);
      const { x, y, width } = await (await page.$("#viewport")).boundingBox();
      const at = (u, v) => [x + u * width, y + v * width];
      const shot = (name) => page.screenshot({ path: join(CACHE, "screenshots", `example_cornerstone3d_${name}.png`) });
      const labelled = async (slices) => {
        const matching = (count) => new RegExp(`on ${count} slices`).test(document.querySelector("#labelled").textContent);
        await page.waitForFunction(matching, { timeout: WAIT_MS }, slices);
        return await page.$eval("#labelled", (element) => element.textContent);
      };
      // The larger organ of the middle slice has about 4950 pixels, the smaller 2030.
      await page.mouse.click(...at(0.34, 0.49));
      const point = await says(page, /redicted IoU/);
      const pixels = pixelsOf(point, 4000, 6500);
      await shot("point");
      await page.$eval("#cutoff", (slider) => {
        slider.value = "100";
        slider.dispatchEvent(new Event("input"));
      });
      await says(page, new RegExp(`^(?!${pixels} ).*redicted IoU`));
      const surer = pixelsOf(await says(page, /redicted IoU/), 1, pixels - 1);
      await page.click("#clear");
      await says(page, /No prompt/);
      await page.$eval("#cutoff", (slider) => {
        slider.value = "0";
        slider.dispatchEvent(new Event("input"));
      });
      await page.select("#tool", "BoxPrompt");
      await page.mouse.move(...at(0.6, 0.5));
      await page.mouse.move(...at(0.6, 0.38));
      await page.mouse.down();
      await page.mouse.move(...at(0.7, 0.5));
      await page.mouse.move(...at(0.85, 0.66));
      await page.mouse.up();
      const box = await says(page, /redicted IoU/);
      pixelsOf(box, 1300, 3200);
      await shot("box");
      await page.click("#accept");
      pixelsOf(await labelled(1), 1300, 3200);
      // Every other slice is encoded before anybody asks: then those next to it cost a decode alone.
      await page.click("#encode");
      await says(page, /Encoded 8 of 8 images/);
      await page.click("#next");
      const next = await says(page, /redicted IoU/);
      pixelsOf(next, 1100, 3200);
      if (!/encode 0 ms/.test(next)) throw new Problem(`the slice that was encoded before was encoded again: ${next}`);
      await page.click("#accept");
      await labelled(2);
      await page.click("#clear");
      await page.click("#auto");
      await page.mouse.move(...at(0.5, 0.5));
      await page.mouse.wheel({ deltaY: 100 });
      const neighbours = await says(page, /redicted IoU/);
      pixelsOf(neighbours, 500, 4000);
      await shot("neighbours");
      await page.click("#accept");
      return `${point}; above a cut-off ${surer} pixels; ${box}; next slice ${next}; by its neighbours ${neighbours}; ${await labelled(3)}`;
    });
  });
}

async function nodeBatch(shop) {
  const project = shop.project("example-node-batch", { ".": join(FOLDER, "node-batch") });
  const env = { ...process.env, ...readJson(join(CACHE, "setup.json"))?.env };
  const output = await shop.node(join(project, "batch.mjs"), ["images", "boxes.json", "masks"], { cwd: project, env });
  const made = readdirSync(join(project, "masks"));
  const lines = output.split("\n").filter((line) => /predicted IoU/.test(line));
  const boxes = Object.values(JSON.parse(readFileSync(join(FOLDER, "node-batch", "boxes.json"), "utf8"))).flat();
  if (made.length !== boxes.length || lines.length !== boxes.length) throw new Problem(`${made.length} masks for ${boxes.length} boxes:\n${output}`);
  for (const [i, line] of lines.entries()) {
    const [x0, y0, x1, y1] = boxes[i];
    const share = Number(/(\d+) pixels/.exec(line)?.[1]) / ((x1 - x0) * (y1 - y0));
    if (!(share > 0.3 && share < 1.1)) throw new Problem(`a mask that fills ${share.toFixed(2)} of its box: ${line}`);
  }
  return `${made.length} masks`;
}

export const EXAMPLES = [
  { name: "example script-tag", run: scriptTag },
  { name: "example react", run: react },
  { name: "example niivue", run: niivue },
  { name: "example cornerstone3d", run: cornerstone },
  { name: "example node-batch", run: nodeBatch },
];
