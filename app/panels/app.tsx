// Mounts the panels on the page and draws them again when something changed.
import { type ComponentChild, render } from "preact";
import type { Actions } from "../actions.ts";
import type { Desk } from "../desk.ts";
import { byId } from "../dom.ts";
import { Cases } from "./cases.tsx";
import { Facts } from "./facts.tsx";
import { Help } from "./help.tsx";
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

export class Panels {
  readonly #desk: Desk;
  #actions: Actions | null = null;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  start(actions: Actions): void {
    this.#actions = actions;
    this.draw();
    this.#desk.store.subscribe(() => this.draw());
  }

  draw(): void {
    const actions = this.#actions;
    if (!actions) return;
    const shared = { desk: this.#desk, actions, state: this.#desk.store.state };
    const put = (id: string, child: ComponentChild) => render(<SharedContext.Provider value={shared}>{child}</SharedContext.Provider>, byId(id, HTMLElement));
    put("top-bar", <TopBar />);
    put("case-list", <Cases />);
    put("tools", <Tools />);
    put("slice-bar", <SliceBar />);
    put("facts", <Facts />);
    put("object-panel", <Objects />);
    put("help", <Help />);
    put("sheet-slot", <SheetHandle />);
    put("theme-slot", <ThemeButton />);
    put("notice-slot", <Notice />);
    put("over-stage", <Working />);
    put("loading-slot", <LoadingCard />);
    put("model-panel", <ModelPanel />);
    put("problems", <ProblemCards />);
  }
}
