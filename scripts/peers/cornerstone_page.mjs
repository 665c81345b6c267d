// Runs in the browser that scripts/bench_cornerstone.mjs starts: one controller of the two, `?controller=ours` or `theirs` with `&execution=`, on the middle
// slice of the drawn series, clicks by annotations.
import { Enums, eventTarget, imageLoader, init, RenderingEngine, utilities } from "@cornerstonejs/core";
import * as dicomLoader from "@cornerstonejs/dicom-image-loader";
import * as tools from "@cornerstonejs/tools";
import { drawnSeries } from "./drawn_dicom.js";

const { annotation, segmentation } = tools;
const { SEGMENTATION_DATA_MODIFIED } = tools.Enums.Events;
const SIDE = 256;
/** In the larger organ, as shares of the image. */
const CLICKS = [
  [0.34, 0.49],
  [0.3, 0.45],
  [0.38, 0.53],
  [0.36, 0.43],
  [0.32, 0.55],
  [0.34, 0.58],
];

async function showSeries() {
  await init();
  await tools.init();
  dicomLoader.init({ maxWebWorkers: 1 });
  tools.addTool(tools.ProbeTool);
  const element = document.querySelector("#viewport");
  const engine = new RenderingEngine("engine");
  engine.enableElement({ viewportId: "stack", type: Enums.ViewportType.STACK, element });
  const viewport = engine.getViewport("stack");
  const group = tools.ToolGroupManager.createToolGroup("tools");
  group.addToolInstance("MarkerInclude", tools.ProbeTool.toolName, { getTextLines: () => null });
  group.addViewport("stack", "engine");
  const imageIds = drawnSeries(9, SIDE).map((file) => dicomLoader.wadouri.fileManager.add(file));
  await Promise.all(imageIds.map((id) => imageLoader.loadAndCacheImage(id)));
  await viewport.setStack(imageIds, 4);
  const labelmaps = imageLoader.createAndCacheDerivedLabelmapImages(imageIds);
  const representation = { type: tools.Enums.SegmentationRepresentations.Labelmap, data: { imageIds: labelmaps.map(({ imageId }) => imageId) } };
  segmentation.addSegmentations([{ segmentationId: "organs", representation }]);
  await segmentation.addLabelmapRepresentationToViewport("stack", [{ segmentationId: "organs" }]);
  viewport.render();
  return { viewport, labelmap: labelmaps[4] };
}

async function theirs(provider) {
  const { ONNXSegmentationController } = await import("@cornerstonejs/ai");
  // Its own `?provider=wasm` does not start: the worker that it asks onnxruntime-web for cannot read the relative address of the wasm.
  const opt = { executionProviders: [provider] };
  const part = (key) => ({ name: key, key, url: `/peers/${key}.onnx`, size: 1, feedType: "images", opt });
  const controller = new ONNXSegmentationController({ listeners: [], models: { network: [part("encoder"), part("decoder")] }, modelName: "network" });
  return { name: `@cornerstonejs/ai, ${provider}`, controller };
}

async function ours() {
  const { default: SamMed2DController } = await import("./sam_controller.js");
  const worker = new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" });
  return { name: "here", controller: new SamMed2DController({ listeners: [], weights: "/peers/weights.safetensors", worker }) };
}

/** Sets a point, gives the milliseconds until the mask for it is in the labelmap and those of the main thread's longest task meanwhile. */
async function click(viewport, [u, v]) {
  let longest = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  observer.observe({ type: "longtask" });
  const started = performance.now();
  const drawn = new Promise((done) => eventTarget.addEventListener(SEGMENTATION_DATA_MODIFIED, done, { once: true }));
  const imageId = viewport.getCurrentImageId();
  const world = utilities.imageToWorldCoords(imageId, [u * SIDE, v * SIDE]);
  const { viewPlaneNormal, viewUp } = viewport.getCamera();
  const metadata = { ...viewport.getViewReference(), viewPlaneNormal, viewUp, toolName: "MarkerInclude", referencedImageId: imageId };
  const handles = { points: [world], activeHandleIndex: null, textBox: { hasMoved: false, worldPosition: [0, 0, 0] } };
  annotation.state.addAnnotation({ highlighted: false, invalidated: false, metadata, data: { label: "", handles, cachedStats: {} } }, viewport.element);
  await drawn;
  const ms = performance.now() - started;
  // Entries of a task come after it.
  await new Promise((done) => setTimeout(done, 0));
  for (const { duration } of observer.takeRecords()) longest = Math.max(longest, duration);
  observer.disconnect();
  return { ms, longest };
}

globalThis.prepare = async () => {
  const shown = await showSeries();
  globalThis.measure = async () => {
    const query = new URLSearchParams(location.search);
    const started = performance.now();
    const { name, controller } = await (query.get("controller") === "ours" ? ours() : theirs(query.get("execution")));
    controller.enabled = true;
    await controller.initModel();
    const loadMs = performance.now() - started;
    controller.initViewport(shown.viewport);
    const [first, ...more] = CLICKS;
    const { longest } = await click(shown.viewport, first);
    const firstMs = performance.now() - started;
    const inside = () => Array.from(shown.labelmap.voxelManager.getScalarData(), (value) => (value === 255 ? 1 : 0));
    const mask = inside();
    const clicks = [];
    for (const place of more) clicks.push(await click(shown.viewport, place));
    return { name, loadMs, firstMs, firstLongest: longest, mask, lastMask: inside(), clicks };
  };
};
