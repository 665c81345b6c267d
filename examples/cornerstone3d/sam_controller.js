// In place of @cornerstonejs/ai's ONNXSegmentationController: the same prompts (annotations of the tools MarkerInclude, MarkerExclude and BoxPrompt), the
// same methods and options, the mask as a preview in the viewport's labelmap. The network runs in a worker, without ONNX. What differs: README.md.
import { Enums, eventTarget, triggerEvent } from "@cornerstonejs/core";
import { annotation, Enums as ToolEnums, ProbeTool, RectangleROITool, utilities } from "@cornerstonejs/tools";
import { encodeMany } from "sam-med2d-webgpu";
import { SamMed2DWorker } from "sam-med2d-webgpu/client";
import { drawPreview, labelledNearby, makePreviewTool, maskAbove, pictureOf, toPixels } from "./slices.js";

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

  /** Holds the preview: a LabelmapBaseTool, so that accepting, rejecting and Cornerstone's undo are its own. */
  tool;
  viewport;
  numRandomPoints;
  pCutoff = 0;
  #model;
  #options;
  #enabled = false;
  #autoSegmentMode;
  /** Embeddings by image id and window, as promises. */
  #embeddings = new Map();
  #removed = [];
  /** World coordinates that stand for prompts while slices are segmented by what is labelled next to them. */
  #sampled = [];
  #asked = new AbortController();
  #shown;
  #changed = () => this.tryLoad();
  #rendered = () => {
    const imageId = this.viewport.getCurrentImageId();
    if (imageId === this.#shown) return;
    this.#shown = imageId;
    if (imageId && this.enabled && this.autoSegmentMode) this.#sampled = labelledNearby(this.viewport, this.#options.searchBreadth, this.numRandomPoints);
    this.tryLoad();
  };

  constructor({
    listeners = [console.log],
    getPromptAnnotations,
    promptAnnotationTypes = SamMed2DController.PROMPTS,
    islandFillOptions = { maxInternalRemove: 16, fillInternalEdge: true },
    autoSegmentMode = false,
    numRandomPoints = 25,
    searchBreadth = 3,
    weights,
    worker,
  } = {}) {
    this.#options = { listeners, promptAnnotationTypes, islandFillOptions, searchBreadth, weights, worker };
    if (getPromptAnnotations) this.getPromptAnnotations = getPromptAnnotations;
    this.numRandomPoints = numRandomPoints;
    this.#autoSegmentMode = autoSegmentMode;
  }

  get enabled() {
    return this.#enabled;
  }

  /** Nothing is segmented before. */
  set enabled(enabled) {
    this.#enabled = enabled;
    if (enabled) this.tryLoad();
  }

  get autoSegmentMode() {
    return this.#autoSegmentMode;
  }

  /** A slice that is scrolled to is segmented by what the slices next to it are labelled with, instead of by prompts. */
  set autoSegmentMode(enabled) {
    this.#autoSegmentMode = enabled;
    if (enabled) this.enabled = true;
  }

  set numSamplePoints(count) {
    this.numRandomPoints = count;
  }

  /** Loads the network, once. */
  initModel() {
    this.#model ??= this.#load();
    return this.#model;
  }

  async #load() {
    const { weights, worker } = this.#options;
    const started = performance.now();
    const detail = { modelConfig: "sam-med2d", urls: [`${weights}`] };
    triggerEvent(eventTarget, "AI_MODEL_LOADING_STARTED", detail);
    const onProgress = ({ stage, loaded, total }) => this.#log("status", `${stage} ${Math.round((100 * loaded) / (total || 1))} %`);
    const model = await SamMed2DWorker.load(worker, { weights, onProgress });
    triggerEvent(eventTarget, "AI_MODEL_LOADING_COMPLETED", { ...detail, loadTimeMs: performance.now() - started });
    return model;
  }

  /** Pixels belong to the mask whose logit is above `cutoff` / 255. 0, the default, is a probability of one half. */
  setPCutoff(cutoff) {
    this.pCutoff = cutoff;
    this.tryLoad();
  }

  /** A stack, or a volume seen in the plane its images were taken in. */
  initViewport(viewport) {
    if (this.viewport) this.disconnectViewport(this.viewport);
    this.viewport = viewport;
    this.tool = makePreviewTool();
    this.#shown = viewport.getCurrentImageId();
    viewport.element.addEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    for (const name of CHANGES) eventTarget.addEventListener(name, this.#changed);
    this.tryLoad();
  }

  disconnectViewport(viewport) {
    viewport.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    for (const name of CHANGES) eventTarget.removeEventListener(name, this.#changed);
    this.viewport = undefined;
  }

  /** Prompts on the image that is shown. */
  getPromptAnnotations(viewport = this.viewport) {
    const all = this.#options.promptAnnotationTypes.flatMap((name) => annotation.state.getAnnotations(name, viewport.element) ?? []);
    return utilities.planar.filterAnnotationsForDisplay(viewport, all);
  }

  /** The preview becomes the active segment. */
  acceptPreview(element = this.viewport.element) {
    this.tool.acceptPreview(element);
  }

  rejectPreview(element = this.viewport.element) {
    this.tool.rejectPreview(element);
  }

  /** Removes the prompts of this image and the preview. */
  clear(viewport = this.viewport) {
    for (const { annotationUID } of this.getPromptAnnotations(viewport)) annotation.state.removeAnnotation(annotationUID);
    this.rejectPreview(viewport.element);
  }

  /** Removes all prompts, and remembers one of each kind of point for `interpolateScroll`. */
  removePromptAnnotationsWithCache(viewport = this.viewport) {
    const all = annotation.state.getAllAnnotations().filter(({ metadata }) => SamMed2DController.PROMPTS.includes(metadata.toolName));
    const first = (name) => all.find(({ metadata }) => metadata.toolName === name);
    this.#removed = [first(SamMed2DController.MarkerInclude), first(SamMed2DController.MarkerExclude)].filter(Boolean);
    for (const { annotationUID } of all) annotation.state.removeAnnotation(annotationUID);
    viewport.render();
  }

  /** What was removed, moved onto the plane that is shown. */
  restoreCachedPromptAnnotations(viewport = this.viewport) {
    return this.#removed.map((one) => utilities.moveAnnotationToViewPlane(one, viewport));
  }

  /** Accepts the preview and goes on to the next slice, or with -1 to the one before, with the same prompts. */
  async interpolateScroll(viewport = this.viewport, dir = 1) {
    this.acceptPreview(viewport.element);
    const prompts = this.getPromptAnnotations(viewport);
    const index = viewport.getCurrentImageIdIndex() + dir;
    if (!viewport.getImageIds()[index]) return this.#log("status", "There is no slice further on.");
    const reference = viewport.getViewReference({ sliceIndex: index });
    await new Promise((arrived) => {
      const look = () => {
        if (viewport.getCurrentImageIdIndex() !== index) return;
        viewport.element.removeEventListener(Enums.Events.IMAGE_RENDERED, look);
        arrived();
      };
      viewport.element.addEventListener(Enums.Events.IMAGE_RENDERED, look);
      viewport.scroll(dir);
    });
    const moved = prompts.map((one) => {
      annotation.state.removeAnnotation(one.annotationUID);
      const copy = structuredClone(one);
      Object.assign(copy.metadata, reference);
      return utilities.moveAnnotationToViewPlane(copy, viewport);
    });
    for (const one of moved.length > 0 ? moved : this.restoreCachedPromptAnnotations(viewport)) annotation.state.addAnnotation(one, viewport.element);
    viewport.render();
  }

  /** Encodes up to `length` images of the stack from `current + offset` on, those nearest to the one shown first. Gives how many were encoded. */
  async cacheImageEncodings(current = this.viewport.getCurrentImageIdIndex(), offset = 0, length = Number.POSITIVE_INFINITY, signal = undefined) {
    const { viewport } = this;
    const model = await this.initModel();
    const all = viewport.getImageIds();
    const wanted = all.map((_, i) => (current + offset + i) % all.length).slice(0, length);
    const waiting = wanted.filter((index) => !this.#embeddings.has(this.#keyOf(all[index])));
    const keys = waiting.map((index) => this.#keyOf(all[index]));
    const priority = (i) => -Math.abs(waiting[i] - viewport.getCurrentImageIdIndex());
    const pictures = waiting.map((index) => () => pictureOf(viewport, all[index]));
    let done = 0;
    for await (const { index, embedding } of encodeMany(model, pictures, { priority, ...(signal && { signal }) })) {
      this.#embeddings.set(keys[index], Promise.resolve(embedding));
      this.#log("status", `Encoded ${++done} of ${waiting.length} images`);
    }
    return done;
  }

  /** Segments what is shown by its prompts, as every change of them does. */
  tryLoad() {
    // Of several changes in a row only the last one is answered: those that wait for the model are taken back.
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    this.#segment(signal).catch((error) => signal.aborted || this.#log("status", error.message));
  }

  #log(logger, ...words) {
    for (const listener of this.#options.listeners) listener(logger, ...words);
  }

  /** A picture is another one when its window is. */
  #keyOf(imageId) {
    const { lower, upper } = this.viewport.getProperties().voiRange ?? {};
    return `${imageId} ${lower} ${upper}`;
  }

  #prompt(imageId) {
    if (this.autoSegmentMode) return { points: this.#sampled.map((world) => toPixels(imageId, world)).map(([x, y]) => ({ x, y, label: 1 })) };
    const points = [];
    let box;
    for (const { metadata, data } of this.getPromptAnnotations()) {
      const [x, y] = toPixels(imageId, data.handles.points[0]);
      if (metadata.toolName !== SamMed2DController.BoxPrompt) points.push({ x, y, label: metadata.toolName === SamMed2DController.MarkerExclude ? 0 : 1 });
      else {
        const [x1, y1] = toPixels(imageId, data.handles.points[3]);
        if (x !== x1 && y !== y1) box = [Math.min(x, x1), Math.min(y, y1), Math.max(x, x1), Math.max(y, y1)];
      }
    }
    return { points, ...(box && { box }) };
  }

  #embed(model, imageId) {
    const key = this.#keyOf(imageId);
    if (!this.#embeddings.has(key)) {
      this.#log("encoder", "Encoding the image …");
      const encoding = pictureOf(this.viewport, imageId).then((picture) => model.encode(picture));
      this.#embeddings.set(key, encoding);
      encoding.catch(() => this.#embeddings.delete(key));
    }
    return this.#embeddings.get(key);
  }

  async #segment(signal) {
    const { viewport } = this;
    if (!viewport || !this.enabled) return;
    const imageId = viewport.getCurrentImageId();
    if (!imageId) return this.#log("status", "Only whole slices can be segmented: turn the view into the plane its images were taken in.");
    const prompt = this.#prompt(imageId);
    if (!prompt.box && prompt.points.length === 0) {
      if (this.tool.hasPreviewData()) this.rejectPreview();
      return this.#log("decoder", "No prompt.");
    }
    const model = await this.initModel();
    const started = performance.now();
    const embedding = await this.#embed(model, imageId);
    const encoded = performance.now();
    const { mask, logits, scores, best } = await model.decode(embedding, prompt, { output: this.pCutoff === 0 ? "best" : "all", signal });
    if (imageId !== viewport.getCurrentImageId()) return;
    const candidate = (all) => all.subarray((best * all.length) / scores.length, ((best + 1) * all.length) / scores.length);
    const inside = this.pCutoff === 0 ? mask.data : maskAbove(this.pCutoff / 255, candidate(logits), embedding.framing);
    const clicked = prompt.points.filter(({ label }) => label === 1);
    drawPreview(this.tool, viewport, imageId, inside, { islandFillOptions: this.#options.islandFillOptions, clicked });
    const pixels = inside.reduce((sum, value) => sum + value, 0);
    const times = `encode ${Math.round(encoded - started)} ms, decode ${Math.round(performance.now() - encoded)} ms`;
    this.#log("decoder", `${pixels} pixels, predicted IoU ${scores[best].toFixed(2)}; ${times}`);
  }
}
