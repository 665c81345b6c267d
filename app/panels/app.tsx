// Mounts the panels on the page and draws each again when something that it read has changed.
import { type ComponentType, render } from "preact";
import type { Actions } from "../actions.ts";
import type { Desk } from "../desk.ts";
import { breathe, byId } from "../dom.ts";
import type { State } from "../state.ts";
import { Cases } from "./cases.tsx";
import { Facts } from "./facts.tsx";
import { LoadingCard } from "./loading.tsx";
import { ModelPanel } from "./model_panel.tsx";
import { Notice } from "./notice.tsx";
import { Objects } from "./objects.tsx";
import { SharedContext } from "./parts.tsx";
import { ProblemCards } from "./problems.tsx";
import { SheetHandle } from "./sheet.tsx";
import { SliceBar } from "./slice_bar.tsx";
import { ThemeButton } from "./theme.tsx";
import { Tools } from "./tools.tsx";
import { TopBar } from "./top_bar.tsx";
import { Working } from "./working.tsx";

/** In the order in which they come to be: what is looked at first, first. */
const PANELS: readonly (readonly [id: string, Panel: ComponentType])[] = [
  ["theme-slot", ThemeButton],
  ["sheet-slot", SheetHandle],
  ["top-bar", TopBar],
  ["tools", Tools],
  ["case-list", Cases],
  ["notice-slot", Notice],
  ["loading-slot", LoadingCard],
  ["slice-bar", SliceBar],
  ["object-panel", Objects],
  ["over-stage", Working],
  ["facts", Facts],
  ["problems", ProblemCards],
  ["model-panel", ModelPanel],
];

/** Made when they are first asked for. */
const LATER = {
  help: () => import("./help.tsx").then(({ Help }) => Help),
  "object-menu": () => import("./object_menu.tsx").then(({ ObjectMenu }) => ObjectMenu),
} as const satisfies Readonly<Record<string, () => Promise<ComponentType>>>;

/** What the model answered is no part of the state; these say that it may be another. */
const ALWAYS = ["results", "surfaces"] as const satisfies readonly (keyof State)[];

export class Panels {
  readonly #desk: Desk;
  readonly #drawn = new Map<string, Drawn>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** One after the other, so that the page answers in between. */
  async start(actions: Actions): Promise<void> {
    this.#desk.store.subscribe((state, before) => {
      const all = state.model.kind !== before.model.kind || ALWAYS.some((key) => state[key] !== before[key]);
      for (const panel of this.#drawn.values()) if (all || panel.read(state, before)) panel.draw();
    });
    for (const [id, Panel] of PANELS) {
      await breathe();
      this.#add(id, Panel, actions);
    }
  }

  /** All of them, or the one with this id, for what is no part of the state. */
  draw(id?: string): void {
    if (id !== undefined) this.#drawn.get(id)?.draw();
    else for (const panel of this.#drawn.values()) panel.draw();
  }

  async need(id: keyof typeof LATER, actions: Actions): Promise<void> {
    if (this.#drawn.has(id)) return;
    const Panel = await LATER[id]();
    if (!this.#drawn.has(id)) this.#add(id, Panel, actions);
  }

  #add(id: string, Panel: ComponentType, actions: Actions): void {
    const panel = new Drawn(this.#desk, actions, byId(id, HTMLElement), Panel);
    this.#drawn.set(id, panel);
    panel.draw();
  }
}

/** A panel on the page, which knows what of the state it was drawn from. */
class Drawn {
  readonly #keys = new Set<keyof State>();
  readonly #render: () => void;

  constructor(desk: Desk, actions: Actions, root: HTMLElement, Panel: ComponentType) {
    const { store } = desk;
    const state = new Proxy(store.state, {
      get: (_, key) => {
        this.#keys.add(key as keyof State);
        // As it is now: handlers read it long after the panel was drawn.
        return store.state[key as keyof State];
      },
    });
    this.#render = () =>
      render(
        <SharedContext.Provider value={{ desk, actions, state }}>
          <Panel />
        </SharedContext.Provider>,
        root,
      );
  }

  draw(): void {
    this.#keys.clear();
    this.#render();
  }

  /** Whether any of what it read differs. */
  read(state: State, before: State): boolean {
    for (const key of this.#keys) if (state[key] !== before[key]) return true;
    return false;
  }
}
