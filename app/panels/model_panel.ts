// Which weights, on which device, how fast; and choosing others.
import { defaultWeights } from "../model/default_weights.ts";
import type { Desk } from "../desk.ts";
import { byId, make } from "../dom.ts";
import { nameOf } from "../model/engine.ts";
import type { Settings } from "../model/inference.ts";
import type { State } from "../state.ts";
import { formatDuration } from "../model/transfer_rate.ts";

/** Any would do: the masks mean nothing, but the same seed is what the tests use. */
export const SYNTHETIC = { kind: "synthetic", seed: 7 } as const;

export function startModelPanel(desk: Desk): void {
  const { store } = desk;
  const facts = byId("model-facts", HTMLElement);
  const file = byId("open-weights", HTMLInputElement);
  const form = byId("weights-url", HTMLFormElement);
  const address = byId("weights-address", HTMLInputElement);
  const toggle = byId("weights-url-toggle", HTMLButtonElement);
  const adapter = byId("adapter", HTMLSelectElement);

  file.addEventListener("change", () => {
    const files = [...(file.files ?? [])];
    if (files.length > 0) void desk.load({ kind: "file", files });
    file.value = "";
  });
  toggle.addEventListener("click", () => showAddress(form.hidden));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void desk.load({ kind: "url", url: address.value.trim() });
  });
  byId("weights-synthetic", HTMLButtonElement).addEventListener("click", () => void desk.load(SYNTHETIC));
  const own = defaultWeights();
  const ownButton = byId("weights-default", HTMLButtonElement);
  ownButton.hidden = !own;
  if (own) ownButton.addEventListener("click", () => void desk.load({ kind: "default", ...own }));

  bindSettings(desk);
  adapter.addEventListener("change", () => {
    store.set({ adapter: adapter.value === "off" ? "off" : "on" });
    const { model } = store.state;
    if (model.kind === "ready" || model.kind === "failed") void desk.load(model.source);
  });

  store.subscribe((state, before) => {
    if (state.model !== before.model || state.encodeMs !== before.encodeMs) renderFacts(facts, state);
  });
  renderFacts(facts, store.state);
}

/** Opens or closes the field for an address. */
export function showAddress(open: boolean): void {
  byId("weights-url", HTMLFormElement).hidden = !open;
  byId("weights-url-toggle", HTMLButtonElement).setAttribute("aria-expanded", String(open));
  if (!open) return;
  const field = byId("weights-address", HTMLInputElement);
  field.scrollIntoView({ block: "center" });
  field.focus();
}

function bindSettings({ store }: Desk): void {
  const change = (patch: Partial<Settings>) => store.set({ settings: { ...store.state.settings, ...patch } });
  const bind = (id: string, patch: (value: string) => Partial<Settings>) => {
    const select = byId(id, HTMLSelectElement);
    select.addEventListener("change", () => change(patch(select.value)));
  };
  bind("fit", (value) => ({ fit: value === "pad" || value === "resize" ? value : "auto" }));
  bind("channel-order", (value) => ({ channelOrder: value === "rgb" || value === "bgr" ? value : "auto" }));
  bind("candidates-count", (value) => ({ multimask: value === "3" }));
}

function renderFacts(root: HTMLElement, { model, encodeMs }: State): void {
  const row = (name: string, value: string) => [make("dt", {}, name), make("dd", {}, value)];
  if (model.kind !== "ready") {
    const weights = { none: "None loaded", loading: "Loading…", failed: "Not loaded" }[model.kind];
    root.replaceChildren(...row("Weights", weights));
    return;
  }
  const { name, device } = model.model;
  root.replaceChildren(
    ...row("Weights", nameOf(model.source)),
    ...row("Network", name.replace(/^SAM-Med2D /, "")),
    ...row("Device", `${device.description}${device.kind === "cpu" ? " (software, slow)" : ""}`),
    ...row("Loaded in", formatDuration(model.loadMs)),
    ...(encodeMs === null ? [] : row("Encode", `${formatDuration(encodeMs)} an image`)),
  );
}
