// All the page knows, in one value; who draws from it is told when it changes.
import type { Overlap } from "../src/volume/index.ts";
import type { Case, Status } from "./annotate/case.ts";
import { colourOf, type LabelOf } from "./annotate/labels.ts";
import type { ModelStatus } from "./model/engine.ts";
import type { Activity, Settings } from "./model/inference.ts";
import type { OpeningNow } from "./open/progress.ts";
import type { KeptEmbeddings } from "./keep/embeddings.ts";
import type { SetId } from "./open/sets.ts";
import type { WebGpuProblem } from "./model/webgpu_help.ts";
import { t } from "./words/words.ts";

/** What a click or a stroke does. */
export type Tool = "select" | "positive" | "negative" | "box" | "brush" | "eraser" | "lasso" | "scribble" | "ruler" | "axes" | "cross" | "outline";

/** How far what was done is from being safe on this machine. */
export type Saving =
  | { readonly kind: "none" | "saving" | "reader" }
  | { readonly kind: "saved"; readonly at: number }
  | { readonly kind: "failed"; readonly why: string };

export interface State {
  readonly cases: readonly Case[];
  readonly current: string | null;
  /** Sets to practise on that were opened. */
  readonly sets: readonly SetId[];
  /** Which cases the list shows. */
  readonly filter: Status | "all";
  readonly search: string;
  readonly labels: readonly LabelOf[];
  readonly overlap: Overlap;
  readonly tool: Tool;
  /** One plane of a volume, or three of them that a crosshair links. */
  readonly layout: "one" | "four";
  /** Radius of brush and eraser: mm where the image says how large its pixels are, else pixels. */
  readonly brush: number;
  /** Whether a round starts from the mask of the one before. */
  readonly refine: boolean;
  readonly settings: Settings;
  readonly adapter: "on" | "off";
  readonly opacity: number;
  /** Areas, or outlines alone. */
  readonly fill: boolean;
  /** While a key is held. */
  readonly hidden: boolean;
  readonly promptsShown: boolean;
  /** The prompt under the pointer, on the image or in the list: the index of a point, or the box. */
  readonly pointed: number | "box" | null;
  /** Whether a true mask is drawn beside the predicted one. */
  readonly truth: boolean;
  readonly model: ModelStatus;
  /** Whether the browser has been asked for WebGPU. */
  readonly checked: boolean;
  readonly webgpu: WebGpuProblem | null;
  readonly activity: Activity;
  /** Long work with a way to stop it. */
  readonly task: { readonly words: string; readonly done: number; readonly total: number; stop(): void } | null;
  /** Whether the mask that a click would give is shown beforehand; null: where the device answers quickly. */
  readonly preview: boolean | null;
  /** What is being opened. */
  readonly opening: OpeningNow | null;
  readonly encodeMs: number | null;
  /** Whether what may be wanted next is encoded while nothing else is to be done. */
  readonly ahead: boolean;
  /** Images that are kept encoded on this machine. */
  readonly encoded: KeptEmbeddings;
  /** Counts the times that the browser lost what was drawn on canvases and gave them back blank. */
  readonly surfaces: number;
  /** Counts results, so that those who draw them notice one. */
  readonly results: number;
  /** What an undo or another step without a picture did, in words, until something else happens. */
  readonly said: string;
  readonly saving: Saving;
}

/** What of a case changed, for whoever keeps it: works by key, runs by object and stored slice. */
export interface Touched {
  readonly keys: readonly string[];
  readonly drawn: readonly (readonly [object: number, slice: number])[];
}

export function initialState(): State {
  return {
    cases: [],
    current: null,
    sets: [],
    filter: "all",
    search: "",
    labels: [{ id: 1, name: t("label.first"), colour: colourOf(1) }],
    overlap: "replace",
    tool: "positive",
    layout: "one",
    brush: 5,
    refine: false,
    settings: { fit: "auto", channelOrder: "auto", multimask: "auto" },
    adapter: "on",
    opacity: 0.45,
    fill: true,
    hidden: false,
    promptsShown: true,
    pointed: null,
    truth: false,
    model: { kind: "none" },
    checked: false,
    webgpu: null,
    activity: { kind: "idle" },
    task: null,
    preview: null,
    opening: null,
    encodeMs: null,
    ahead: true,
    encoded: { count: 0, bytes: 0 },
    surfaces: 0,
    results: 0,
    said: "",
    saving: { kind: "none" },
  };
}

const MOST_ROUNDS = 100;

export class Store {
  #state: State;
  readonly #listeners: { readonly listener: (state: State, before: State) => void; seen: State }[] = [];
  #telling = false;
  readonly #keepers: ((id: string, touched: Touched) => void)[] = [];

  constructor(state: State) {
    this.#state = state;
  }

  get state(): State {
    return this.#state;
  }

  set(patch: Partial<State>): void {
    this.#state = { ...this.#state, ...patch };
    // A change made by a listener: those that were told already are told of it afterwards, all others of both at once.
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let rounds = 0; this.#listeners.some(({ seen }) => seen !== this.#state); rounds++) {
        if (rounds === MOST_ROUNDS) throw new RangeError("listeners of the state change it for ever");
        for (const told of this.#listeners) {
          const before = told.seen;
          if (before === this.#state) continue;
          told.seen = this.#state;
          told.listener(this.#state, before);
        }
      }
    } finally {
      this.#telling = false;
    }
  }

  /** Called after every change, in the order of subscription, with the state as it is and as it was when the same listener was called before. */
  subscribe(listener: (state: State, before: State) => void): void {
    this.#listeners.push({ listener, seen: this.#state });
  }

  /** Called with what changed of a case's masks and prompts. */
  onTouched(keeper: (id: string, touched: Touched) => void): void {
    this.#keepers.push(keeper);
  }

  updateCase(id: string, change: (of: Case) => Partial<Case>, touched?: Touched): void {
    if (touched) for (const keeper of this.#keepers) keeper(id, touched);
    this.set({ said: "", cases: this.#state.cases.map((of) => (of.id === id ? { ...of, ...change(of) } : of)) });
  }
}

export function currentCase({ cases, current }: State): Case | null {
  return cases.find(({ id }) => id === current) ?? null;
}

/** The cases that the list shows, in its order. */
export function listedCases({ cases, filter, search, current }: State): readonly Case[] {
  if (filter === "all" && search === "") return cases;
  const wanted = search.toLowerCase();
  return cases.filter(({ id, status, name, note }) => {
    // The one that is shown stays, or its row would go from under the hand that marks it.
    return id === current || ((filter === "all" || status === filter) && `${name} ${note}`.toLowerCase().includes(wanted));
  });
}
