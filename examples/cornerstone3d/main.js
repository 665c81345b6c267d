// A stack of DICOM slices in Cornerstone3D; points and a box on it become a labelmap.
import { Enums, eventTarget, imageLoader, init, RenderingEngine, utilities } from "@cornerstonejs/core";
import * as dicomLoader from "@cornerstonejs/dicom-image-loader";
import {
  addTool,
  annotation,
  Enums as ToolEnums,
  init as initTools,
  ProbeTool,
  RectangleROITool,
  segmentation,
  StackScrollTool,
  ToolGroupManager,
} from "@cornerstonejs/tools";
import weights from "sam-med2d-webgpu/weights/sam-med2d-tiny.safetensors?url";
import { drawnSeries } from "./drawn_dicom.js";
import SamMed2DController from "./sam_controller.js";

const status = document.querySelector("#status");
const tell = (words) => {
  status.textContent = words;
};
// The loader's errors hold the reason; some are a reason in words alone.
const fail = (reason) => tell((reason?.error ?? reason)?.message ?? `${reason?.error ?? reason}`);

await init();
await initTools();
dicomLoader.init({ maxWebWorkers: 1 });
for (const tool of [ProbeTool, RectangleROITool, StackScrollTool]) addTool(tool);

const engine = new RenderingEngine("engine");
engine.enableElement({ viewportId: "stack", type: Enums.ViewportType.STACK, element: document.querySelector("#viewport") });
const viewport = engine.getViewport("stack");
const toolGroup = ToolGroupManager.createToolGroup("tools");
SamMed2DController.addTools(toolGroup);
toolGroup.addTool(StackScrollTool.toolName);
toolGroup.addViewport("stack", "engine");
toolGroup.setToolActive(StackScrollTool.toolName, { bindings: [{ mouseButton: ToolEnums.MouseBindings.Wheel }] });

const choice = document.querySelector("#tool");
function choose() {
  for (const name of SamMed2DController.PROMPTS) toolGroup.setToolPassive(name, { removeAllBindings: true });
  toolGroup.setToolActive(choice.value, { bindings: [{ mouseButton: ToolEnums.MouseBindings.Primary }] });
}
choice.addEventListener("change", choose);
choose();

let series = 0;
let labelmaps = [];
async function show(files) {
  const imageIds = files.map((file) => dicomLoader.wadouri.fileManager.add(file));
  await Promise.all(imageIds.map((id) => imageLoader.loadAndCacheImage(id)));
  await viewport.setStack(imageIds, Math.floor(imageIds.length / 2));
  const segmentationId = `organs ${++series}`;
  labelmaps = imageLoader.createAndCacheDerivedLabelmapImages(imageIds);
  segmentation.addSegmentations([
    { segmentationId, representation: { type: ToolEnums.SegmentationRepresentations.Labelmap, data: { imageIds: labelmaps.map(({ imageId }) => imageId) } } },
  ]);
  await segmentation.addLabelmapRepresentationToViewport("stack", [{ segmentationId }]);
  viewport.render();
}

const RED = "rgb(255, 60, 60)";
eventTarget.addEventListener(ToolEnums.Events.ANNOTATION_ADDED, ({ detail }) => {
  const { annotationUID, metadata } = detail.annotation;
  if (metadata.toolName === SamMed2DController.MarkerExclude) annotation.config.style.setAnnotationStyles(annotationUID, { color: RED, colorHighlighted: RED, colorSelected: RED });
});

eventTarget.addEventListener(ToolEnums.Events.SEGMENTATION_DATA_MODIFIED, () => {
  const pixels = labelmaps.map(({ voxelManager }) => voxelManager.getScalarData().reduce((sum, value) => sum + (value === 1), 0));
  const total = pixels.reduce((sum, count) => sum + count, 0);
  document.querySelector("#labelled").textContent = `Segment 1: ${total} pixels on ${pixels.filter(Boolean).length} slices`;
});

await show(drawnSeries(9, 256));
const worker = new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" });
const controller = new SamMed2DController({ weights, worker, listeners: [(_, words) => tell(words)] });
controller.initViewport(viewport);
controller.enabled = true;
const on = (id, event, act) =>
  document.querySelector(id).addEventListener(event, async ({ target }) => {
    try {
      await act(target);
    } catch (error) {
      fail(error);
    }
  });
on("#accept", "click", () => controller.acceptPreview());
on("#clear", "click", () => controller.clear());
on("#undo", "click", () => utilities.HistoryMemo.DefaultHistoryMemo.undo());
on("#next", "click", () => controller.interpolateScroll());
on("#auto", "change", ({ checked }) => {
  controller.autoSegmentMode = checked;
});
on("#cutoff", "input", ({ value }) => controller.setPCutoff(Number(value)));
on("#encode", "click", () => controller.cacheImageEncodings());
on("#files", "change", ({ files }) => files.length > 0 && show([...files]));
controller.initModel().then(
  () => tell("Ready: click into an organ."),
  fail,
);
