// What went wrong, in words, with what to do about it: stands aside, waits to be dismissed, never blocks.
import { SamError } from "../../src/index.ts";
import { button, icon, make } from "../dom.ts";

export interface ProblemAction {
  readonly label: string;
  readonly run: () => void;
}

const TITLES: Readonly<Record<SamError["code"], string>> = {
  image: "This image can't be used",
  prompt: "These prompts can't be used",
  checkpoint: "These weights can't be used",
  device: "The graphics device failed",
  graph: "The network could not be run",
  disposed: "The model is gone",
  dataset: "This data set can't be used",
  file: "This file could not be read",
};

const WHOLE: ReadonlySet<string | undefined> = new Set(["weights", "image", "device"]);

/** Of a batch this many are named at once, the others in a list to unfold. */
const NAMED = 3;

export class Problems {
  readonly #root: HTMLElement;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  show(error: unknown, actions: readonly ProblemAction[] = []): void {
    const known = error instanceof SamError;
    const title = known ? (error.op === "worker" ? "The model's worker does not run" : TITLES[error.code]) : "Something unexpected happened";
    // The title names what is wrong as a whole.
    const subject = known && !WHOLE.has(error.argument) ? error.argument : undefined;
    const lines = known
      ? [`${subject ? `${subject}: expected` : "Expected"} ${error.expected}, got ${error.got}.`, error.remedy]
      : [error instanceof Error ? error.message : String(error), "The prompts are kept. If it happens again, reload the page."];
    this.#add(title, lines, actions, error);
  }

  /** Of `total` files that came together, those that could not be opened: one card for all of them. */
  showBatch(total: number, failures: readonly { readonly name: string; readonly error: unknown }[]): void {
    const [only] = failures;
    if (!only) return;
    if (failures.length === 1) {
      // A reader's refusal is a sentence already.
      if (typeof only.error === "string") this.#add(`${only.name} was not opened`, [only.error], [], null);
      else this.show(only.error);
      return;
    }
    const lines = failures.map(({ name, error }) => {
      return error instanceof SamError ? `${name}: expected ${error.expected}, got ${error.got}. ${error.remedy}` : `${name}: ${error}`;
    });
    const named = failures.slice(0, NAMED).map(({ name }) => name);
    const others = failures.length > NAMED ? ` and ${failures.length - NAMED} more` : "";
    const card = this.#add(`${failures.length} of ${total} files not opened`, [`${named.join(", ")}${others}.`], [], null);
    const list = make("ul", {}, ...lines.map((line) => make("li", {}, line)));
    card.append(make("details", {}, make("summary", {}, "Which, and why"), list));
  }

  /** What is worth knowing, though nothing failed. */
  tell(title: string, words: string, actions: readonly ProblemAction[] = []): void {
    const card = this.#add(title, [words], actions, null);
    card.dataset.tone = "plain";
    card.setAttribute("role", "status");
  }

  #add(title: string, lines: readonly string[], actions: readonly ProblemAction[], error: unknown): HTMLElement {
    // The same again takes the place of the one before.
    for (const shown of [...this.#root.children]) if ((shown as HTMLElement).dataset.key === lines.join()) shown.remove();
    const card = make("section", { className: "problem" });
    card.dataset.key = lines.join();
    card.setAttribute("role", "alert");
    const close = button("", () => card.remove(), "close");
    close.setAttribute("aria-label", `Dismiss: ${title}`);
    close.append(icon("clear"));
    card.append(make("h3", {}, title), close, ...lines.map((line) => make("p", {}, line)));
    if (error !== null) {
      const technical = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      card.append(make("details", {}, make("summary", {}, "Technical details"), make("code", {}, technical)));
    }
    if (actions.length > 0) {
      const run = (action: ProblemAction) => () => {
        card.remove();
        action.run();
      };
      card.append(make("div", { className: "actions" }, ...actions.map((action) => button(action.label, run(action), "primary"))));
    }
    this.#root.append(card);
    return card;
  }
}
