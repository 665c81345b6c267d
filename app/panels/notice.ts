// The strip above the image: what stands between the user and a mask that means something.
import { defaultWeights } from "../model/default_weights.ts";
import type { Desk } from "../desk.ts";
import { button, byId, make } from "../dom.ts";
import { nameOf, type Source } from "../model/engine.ts";
import { showAddress, SYNTHETIC } from "./model_panel.ts";
import type { State } from "../state.ts";

type Kind = "" | "no-webgpu" | "none" | "failed" | "meaningless";

export function startNotice(desk: Desk): void {
  const root = byId("notice", HTMLElement);
  let shown: Kind = "";
  desk.store.subscribe((state: State) => {
    const kind = kindOf(state);
    const fresh = kind !== shown;
    shown = kind;
    root.hidden = kind === "";
    if (fresh) {
      root.dataset.tone = kind === "no-webgpu" ? "bad" : kind === "meaningless" ? "warn" : "plain";
      root.replaceChildren(...contentOf(kind, state, desk));
    }
  });
}

function kindOf({ checked, webgpu, model }: State): Kind {
  if (webgpu) return "no-webgpu";
  if (model.kind === "ready") return model.model.meaningless ? "meaningless" : "";
  return !checked || model.kind === "loading" ? "" : model.kind;
}

function contentOf(kind: Kind, { webgpu, model }: State, desk: Desk): Node[] {
  switch (kind) {
    case "no-webgpu":
      return [text(webgpu?.title ?? "", ...(webgpu?.advice ?? []), "Images and prompts work; masks need WebGPU.")];
    case "none":
      return [
        text("No model is loaded yet.", "Masks need weights: your own SAM-Med2D file, or made-up ones to see the page work. Prompts are kept."),
        actions(...choices(desk)),
      ];
    case "failed":
      return model.kind === "failed"
        ? [
            text("No model is loaded.", `${nameOf(model.source)} was not loaded. Prompts are kept.`),
            actions(again(desk, model.source), ...choices(desk, false).slice(0, 2)),
          ]
        : [];
    case "meaningless":
      return [
        text("Synthetic weights: these masks mean nothing.", "They are made by a formula and show that the network runs, not what it can see."),
        actions(...choices(desk).slice(0, 2)),
      ];
    default:
      return [];
  }
}

function text(title: string, ...lines: readonly string[]): HTMLElement {
  return make("div", {}, make("strong", {}, title), ...lines.map((line) => make("p", {}, line)));
}

function actions(...buttons: readonly Node[]): HTMLElement {
  return make("div", { className: "actions" }, ...buttons);
}

/** The first one stands out, unless something before it does. */
function choices(desk: Desk, standOut = true): Node[] {
  const own = defaultWeights();
  const first = standOut ? "primary" : "";
  return [
    own
      ? button("Load the default model", () => void desk.load({ kind: "default", ...own }), first)
      : button("Open weights file…", () => byId("open-weights", HTMLInputElement).click(), first),
    button("From an address…", () => showAddress(true)),
    button("Try synthetic weights", () => void desk.load(SYNTHETIC)),
  ];
}

function again(desk: Desk, source: Source): HTMLElement {
  return button("Load again", () => void desk.load(source), "primary");
}
