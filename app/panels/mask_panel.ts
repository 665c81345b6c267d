// The result: candidate masks to choose from, the prompts that led there, how it is drawn, and saving it.
import type { Desk } from "../desk.ts";
import { button, byId, icon, make } from "../dom.ts";
import { MASK_COLOURS, type MaskColour, tinted } from "../stage/overlay.ts";
import { type Runs, sampleRuns } from "../annotate/run_lengths.ts";
import { isEmpty, type Prompts } from "../annotate/session.ts";
import type { StageController } from "../stage/stage_controller.ts";
import { currentStudy, type State, type Study } from "../state.ts";
import { closest } from "../annotate/truth.ts";

const THUMB = 132;

export function startMaskPanel(desk: Desk, controller: StageController): void {
  const { store } = desk;
  const empty = byId("mask-empty", HTMLElement);
  const candidates = byId("candidates", HTMLElement);
  const prompts = byId("prompts", HTMLElement);
  const truth = byId("truth", HTMLElement);
  const truthScore = byId("truth-score", HTMLElement);
  const showTruth = byId("show-truth", HTMLInputElement);
  const refine = byId("refine", HTMLInputElement);
  const opacity = byId("opacity", HTMLInputElement);
  const opacityValue = byId("opacity-value", HTMLOutputElement);
  const saveMask = byId("save-mask", HTMLButtonElement);
  const savePrompts = byId("save-prompts", HTMLButtonElement);

  refine.addEventListener("change", () => store.set({ refine: refine.checked }));
  showTruth.addEventListener("change", () => store.set({ truth: showTruth.checked }));
  opacity.addEventListener("input", () => store.set({ opacity: Number(opacity.value) }));
  saveMask.addEventListener("click", () => void desk.saveMask());
  savePrompts.addEventListener("click", () => desk.savePrompts());
  makeSwatches(desk);

  let listed: Prompts | null = null;
  let drawn: { readonly masks: readonly Runs[]; readonly surfaces: number; readonly colour: MaskColour } | null = null;
  store.subscribe((state: State) => {
    const study = currentStudy(state);
    const shown = desk.shown(state);
    if (!shown) drawn = null;
    const now = study?.session.now ?? null;

    empty.hidden = !study || !isEmpty(study.session.now);
    if (!empty.hidden && study) renderEmpty(empty, desk, study);
    if (now && now !== listed) renderPrompts(prompts, desk, now, controller);
    listed = now;

    candidates.hidden = !shown || shown.result.masks.length < 2;
    if (shown && study) {
      const { masks, scores } = shown.result;
      if (drawn?.masks !== masks || drawn.colour !== state.colour || drawn.surfaces !== state.surfaces)
        renderCandidates(candidates, desk, study, masks, scores, state.colour);
      drawn = { masks, colour: state.colour, surfaces: state.surfaces };
      for (const [index, input] of [...candidates.querySelectorAll("input")].entries()) input.checked = index === shown.index;
    }

    const fit = shown && study ? closest(shown.mask, study.structures) : null;
    truth.hidden = !fit;
    if (fit) truthScore.replaceChildren("True mask: ", make("b", {}, fit.structure.name), ` — Dice ${fit.dice.toFixed(2)}`);
    showTruth.checked = state.truth;

    saveMask.disabled = !shown;
    savePrompts.disabled = !now || isEmpty(now);
    opacityValue.textContent = `${Math.round(100 * state.opacity)} %`;
    refine.checked = state.refine;
  });
}

function renderEmpty(root: HTMLElement, desk: Desk, { id, suggestion }: Study): void {
  if (root.dataset.study === id) return;
  root.dataset.study = id;
  root.replaceChildren("No prompts yet. Point at a structure, or draw a box around it.");
  if (suggestion)
    root.append(
      make("br"),
      button(`Try ${suggestion.what}`, () => desk.setBox(suggestion.box)),
    );
}

function renderPrompts(root: HTMLElement, desk: Desk, { points, box }: Prompts, controller: StageController): void {
  const focused = [...root.querySelectorAll("button")].indexOf(document.activeElement as HTMLButtonElement);
  const item = (kind: string, text: string, spoken: string, remove: () => void) => {
    const cross = button("", remove);
    cross.append(icon("clear"));
    cross.setAttribute("aria-label", `Remove ${spoken}`);
    const entry = make("li", {}, text, cross);
    entry.dataset.kind = kind;
    return entry;
  };
  root.replaceChildren(
    ...(box ? [item("box", `${box[0]}, ${box[1]} – ${box[2]}, ${box[3]}`, "the box", () => desk.removeBox())] : []),
    ...points.map(({ x, y, label }, index) => {
      const kind = label === 1 ? "positive" : "negative";
      return item(kind, `${x}, ${y}`, `the ${kind} point at ${x}, ${y}`, () => desk.removePoint(index));
    }),
  );
  if (focused === -1) return;
  // What had the focus is gone: the one in its place has it now, else the last one, else the image.
  const left = [...root.querySelectorAll("button")];
  const next = left[Math.min(focused, left.length - 1)];
  if (next) next.focus();
  else controller.focus();
}

function renderCandidates(root: HTMLElement, desk: Desk, study: Study, masks: readonly Runs[], scores: Float32Array, colour: MaskColour): void {
  const focused = root.contains(document.activeElement);
  root.replaceChildren(
    ...masks.map((mask, index) => {
      const input = make("input", { type: "radio", name: "candidate", value: String(index) });
      const score = (scores[index] as number).toFixed(2);
      input.setAttribute("aria-label", `Mask ${index + 1}, predicted IoU ${score}`);
      input.addEventListener("change", () => desk.choose(index));
      const name = make("b", {}, make("i", {}, String(index + 1)), score);
      return make("label", { className: "candidate" }, input, make("span", {}, thumbOf(study, mask, colour), name));
    }),
  );
  if (focused) root.querySelector<HTMLInputElement>("input:checked")?.focus();
}

function thumbOf({ canvas, picture }: Study, mask: Runs, colour: MaskColour): HTMLCanvasElement {
  const scale = THUMB / Math.max(picture.width, picture.height);
  const small = make("canvas", { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) });
  const context = small.getContext("2d");
  if (!context) return small;
  context.globalAlpha = 0.55;
  context.drawImage(canvas, 0, 0, small.width, small.height);
  context.globalAlpha = 0.85;
  context.drawImage(tinted(sampleRuns(mask, small.width, small.height), MASK_COLOURS[colour]), 0, 0);
  return small;
}

function makeSwatches({ store }: Desk): void {
  const root = byId("colours", HTMLElement);
  for (const [name, value] of Object.entries(MASK_COLOURS)) {
    const input = make("input", { type: "radio", name: "colour", value: name, checked: name === store.state.colour });
    input.setAttribute("aria-label", name);
    input.addEventListener("change", () => store.set({ colour: name as MaskColour }));
    const dot = make("span");
    dot.style.background = value;
    root.append(make("label", { className: "swatch", title: name }, input, dot));
  }
}
