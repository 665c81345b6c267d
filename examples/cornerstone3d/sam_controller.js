// In place of @cornerstonejs/ai's ONNXSegmentationController: the same prompts (annotations of the tools MarkerInclude, MarkerExclude and BoxPrompt on a
// stack viewport), the same calls, the mask as a preview in the viewport's labelmap. The network runs in a worker, without ONNX.
import { cache, Enums, eventTarget, utilities } from "@cornerstonejs/core";
import { annotation, Enums as ToolEnums, ProbeTool, RectangleROITool, segmentation, utilities as toolUtilities } from "@cornerstonejs/tools";
import { encodeMany } from "sam-med2d-webgpu";
import { SamMed2DWorker } from "sam-med2d-webgpu/client";

const { ANNOTATION_ADDED, ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED } = ToolEnums.Events;
const CHANGES = [ANNOTATION_ADDED, ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED];

export default class SamMed2DController {
  static MarkerInclude = "MarkerInclude";
  static MarkerExclude = "MarkerExclude";
  static BoxPrompt = "BoxPrompt";
  static PROMPTS = [SamMed2DController.MarkerInclude, SamMed2DController.MarkerExclude, SamMed2DController.BoxPrompt];

  /** The three tools that prompt, for a tool group. Their base tools, `ProbeTool` and `RectangleROITool`, are added to Cornerstone before. */
  static addTools(toolGroup) {
    const configuration = { getTextLines: () => null };
    toolGroup.addToolInstance(SamMed2DController.MarkerInclude, ProbeTool.toolName, configuration);
    toolGroup.addToolInstance(SamMed2DController.MarkerExclude, ProbeTool.toolName, configuration);
    toolGroup.addToolInstance(SamMed2DController.BoxPrompt, RectangleROITool.toolName, configuration);
  }

  #model;
  #viewport;
  /** Embeddings by image id and window, as promises. */
  #embeddings = new Map();
  /** What the preview covers: image id of the labelmap, and its values before. */
  #preview;
  #asked = 0;
  #listeners;
  #options;
  #changed = () => this.#segment().catch((error) => this.#log("status", error.message));
  #rendered = () => {
    const imageId = this.#viewport?.getCurrentImageId();
    if (imageId !== this.#shown) this.#changed();
    this.#shown = imageId;
  };
  #shown;

  enabled = true;

  constructor({ listeners = [console.log], weights, worker, promptAnnotationTypes = SamMed2DController.PROMPTS, getPromptAnnotations } = {}) {
    this.#listeners = listeners;
    this.#options = { weights, worker, promptAnnotationTypes };
    if (getPromptAnnotations) this.getPromptAnnotations = getPromptAnnotations;
  }

  /** Loads the network, once. */
  initModel() {
    const { weights, worker } = this.#options;
    this.#model ??= SamMed2DWorker.load(worker, {
      weights,
      onProgress: ({ stage, loaded, total }) => this.#log("status", `${stage} ${Math.round((100 * loaded) / (total || 1))} %`),
    });
    return this.#model;
  }

  initViewport(viewport) {
    if (this.#viewport) this.disconnectViewport(this.#viewport);
    this.#viewport = viewport;
    this.#shown = viewport.getCurrentImageId();
    viewport.element.addEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    for (const name of CHANGES) eventTarget.addEventListener(name, this.#changed);
  }

  disconnectViewport(viewport) {
    viewport.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    for (const name of CHANGES) eventTarget.removeEventListener(name, this.#changed);
    this.#viewport = undefined;
  }

  /** Prompts on the image that is shown. */
  getPromptAnnotations(viewport = this.#viewport) {
    const all = this.#options.promptAnnotationTypes.flatMap((name) => annotation.state.getAnnotations(name, viewport.element) ?? []);
    return toolUtilities.planar.filterAnnotationsForDisplay(viewport, all);
  }

  /** The mask stays, and later prompts begin anew. */
  acceptPreview() {
    this.#preview = undefined;
    this.#removePrompts(this.#viewport);
  }

  rejectPreview() {
    const shown = this.#preview;
    this.#preview = undefined;
    if (shown) this.#write(shown.labelmapId, shown.before, shown.segmentationId);
  }

  clear(viewport = this.#viewport) {
    this.#removePrompts(viewport);
    this.rejectPreview();
  }

  /** Encodes all images of the stack, those nearest to the one shown first. */
  async cacheImageEncodings(viewport = this.#viewport, signal) {
    const model = await this.initModel();
    const ids = viewport.getImageIds().filter((id) => cache.getImage(id) && !this.#embeddings.has(this.#keyOf(id)));
    const at = (id) => viewport.getImageIds().indexOf(id);
    const priority = (i) => -Math.abs(at(ids[i]) - viewport.getCurrentImageIdIndex());
    const pictures = ids.map((id) => () => this.#pictureOf(id));
    for await (const { index, embedding } of encodeMany(model, pictures, { priority, ...(signal && { signal }) }))
      this.#embeddings.set(this.#keyOf(ids[index]), Promise.resolve(embedding));
  }

  #removePrompts(viewport) {
    for (const { annotationUID } of this.getPromptAnnotations(viewport)) annotation.state.removeAnnotation(annotationUID);
    viewport.render();
  }

  #log(logger, ...words) {
    for (const listener of this.#listeners) listener(logger, ...words);
  }

  /** World coordinates as original pixels, the first pixel's corner at 0, 0. */
  #toPixels(imageId, world) {
    const { columns, rows } = cache.getImage(imageId);
    const [x, y] = utilities.worldToImageCoords(imageId, world);
    return [Math.max(0, Math.min(columns - 1e-3, x)), Math.max(0, Math.min(rows - 1e-3, y))];
  }

  #prompt(imageId) {
    const points = [];
    let box;
    for (const { metadata, data } of this.getPromptAnnotations()) {
      const [x, y] = this.#toPixels(imageId, data.handles.points[0]);
      if (metadata.toolName !== SamMed2DController.BoxPrompt) points.push({ x, y, label: metadata.toolName === SamMed2DController.MarkerExclude ? 0 : 1 });
      else {
        const [x1, y1] = this.#toPixels(imageId, data.handles.points[3]);
        if (x !== x1 && y !== y1) box = [Math.min(x, x1), Math.min(y, y1), Math.max(x, x1), Math.max(y, y1)];
      }
    }
    return box || points.length > 0 ? { points, ...(box && { box }) } : undefined;
  }

  #keyOf(imageId) {
    const { lower, upper } = this.#viewport.getProperties().voiRange ?? {};
    return `${imageId} ${lower} ${upper}`;
  }

  /** The picture as it is windowed on the screen. */
  #pictureOf(imageId) {
    const image = cache.getImage(imageId);
    const values = image.getPixelData();
    const { columns: width, rows: height } = image;
    if (image.color) return { data: Uint8Array.from(values), width, height, channels: values.length / (width * height) };
    const { lower, upper } = this.#viewport.getProperties().voiRange ?? { lower: image.minPixelValue, upper: image.maxPixelValue };
    const data = Uint8Array.from(values, (value) => Math.max(0, Math.min(255, (255 * (value - lower)) / (upper - lower))));
    if (image.invert) data.forEach((value, i) => (data[i] = 255 - value));
    return { data, width, height, channels: 1 };
  }

  async #segment() {
    const viewport = this.#viewport;
    if (!viewport || !this.enabled) return;
    const imageId = viewport.getCurrentImageId();
    const prompt = this.#prompt(imageId);
    const asked = ++this.#asked;
    if (!prompt) {
      this.rejectPreview();
      return this.#log("decoder", "No prompt.");
    }
    const model = await this.initModel();
    const key = this.#keyOf(imageId);
    const started = performance.now();
    if (!this.#embeddings.has(key)) {
      this.#log("encoder", "Encoding the image …");
      this.#embeddings.set(key, model.encode(this.#pictureOf(imageId)));
      this.#embeddings.get(key).catch(() => this.#embeddings.delete(key));
    }
    const embedding = await this.#embeddings.get(key);
    const encoded = performance.now();
    if (asked !== this.#asked) return;
    this.#log("decoder", "Decoding …");
    const { mask, scores, best } = await model.decode(embedding, prompt, { output: "best" });
    // Of several clicks in a row only the last one's answer is shown.
    if (asked !== this.#asked || imageId !== viewport.getCurrentImageId()) return;
    this.#draw(viewport, mask.data);
    const pixels = mask.data.reduce((sum, value) => sum + value, 0);
    const times = `encode ${Math.round(encoded - started)} ms, decode ${Math.round(performance.now() - encoded)} ms`;
    this.#log("decoder", `${pixels} pixels, predicted IoU ${scores[best].toFixed(2)}; ${times}`);
  }

  /** As the active segment, where no other segment is. */
  #draw(viewport, mask) {
    const active = segmentation.activeSegmentation.getActiveSegmentation(viewport.id);
    if (!active) throw new Error("The viewport has no segmentation: add a labelmap to it first.");
    const { segmentationId } = active;
    const labelmapId = segmentation.state.getCurrentLabelmapImageIdForViewport(viewport.id, segmentationId);
    this.rejectPreview();
    const before = Uint8Array.from(cache.getImage(labelmapId).voxelManager.getScalarData());
    this.#preview = { labelmapId, segmentationId, before };
    const segment = segmentation.segmentIndex.getActiveSegmentIndex(segmentationId) ?? 1;
    this.#write(labelmapId, before.map((value, i) => (mask[i] && value === 0 ? segment : value)), segmentationId);
  }

  #write(labelmapId, values, segmentationId) {
    cache.getImage(labelmapId).voxelManager.getScalarData().set(values);
    segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId);
  }
}
