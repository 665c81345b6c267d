// All the page knows, in one value; who draws from it is told when it changes.
import type { Box } from "../src/index.ts";
import type { ModelStatus } from "./model/engine.ts";
import type { Activity, Settings } from "./model/inference.ts";
import type { MaskColour } from "./stage/overlay.ts";
import type { Picture, Structure } from "./open/samples.ts";
import { keyOf, type SliceOf } from "./open/slices.ts";
import { isEmpty, newSession, type Prompts, type Session } from "./annotate/session.ts";
import type { WebGpuProblem } from "./model/webgpu_help.ts";

export type Mode = "positive" | "negative" | "box";

/** An image on the desk, with all that was said about it. */
export interface Study {
  readonly id: string;
  readonly name: string;
  readonly origin: "sample" | "file";
  readonly picture: Picture;
  readonly canvas: HTMLCanvasElement;
  /** Where the picture is one of a volume. */
  readonly slice: SliceOf | null;
  readonly session: Session;
  /** A structure that is worth a try: what it is, and a box around it in original pixels. */
  readonly suggestion: { readonly what: string; readonly box: Box } | null;
  /** With their true masks, which only samples have. */
  readonly structures: readonly Structure[];
  /** The candidate that was picked by hand, and for which prompts. */
  readonly choice: { readonly prompts: Prompts; readonly index: number } | null;
  /** What was saved last: the mask of these prompts, with this choice among its candidates. */
  readonly saved: { readonly prompts: Prompts; readonly choice: Study["choice"] } | null;
}

export interface State {
  readonly studies: readonly Study[];
  readonly current: string | null;
  readonly mode: Mode;
  /** Whether a round starts from the mask of the one before. */
  readonly refine: boolean;
  readonly settings: Settings;
  readonly adapter: "on" | "off";
  readonly opacity: number;
  readonly colour: MaskColour;
  /** Whether a sample's true mask is drawn beside the predicted one. */
  readonly truth: boolean;
  readonly model: ModelStatus;
  /** Whether the browser has been asked for WebGPU. */
  readonly checked: boolean;
  readonly webgpu: WebGpuProblem | null;
  readonly activity: Activity;
  readonly encodeMs: number | null;
  /** Counts the times that the browser lost what was drawn on canvases and gave them back blank. */
  readonly surfaces: number;
  /** Counts results, so that those who draw them notice one. */
  readonly results: number;
}

export function initialState(): State {
  return {
    studies: [],
    current: null,
    mode: "positive",
    refine: false,
    settings: { fit: "auto", channelOrder: "auto", multimask: true },
    adapter: "on",
    opacity: 0.45,
    colour: "cyan",
    truth: false,
    model: { kind: "none" },
    checked: false,
    webgpu: null,
    activity: { kind: "idle" },
    encodeMs: null,
    surfaces: 0,
    results: 0,
  };
}

export class Store {
  #state: State;
  readonly #listeners: ((state: State, before: State) => void)[] = [];

  constructor(state: State) {
    this.#state = state;
  }

  get state(): State {
    return this.#state;
  }

  set(patch: Partial<State>): void {
    const before = this.#state;
    this.#state = { ...before, ...patch };
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  /** Called after every change, in the order of subscription. */
  subscribe(listener: (state: State, before: State) => void): void {
    this.#listeners.push(listener);
  }

  updateStudy(id: string, change: (study: Study) => Partial<Study>): void {
    this.set({ studies: this.#state.studies.map((study) => (study.id === id ? { ...study, ...change(study) } : study)) });
  }
}

export function currentStudy({ studies, current }: State): Study | null {
  return studies.find(({ id }) => id === current) ?? null;
}

export function newStudy(
  facts: Pick<Study, "id" | "name" | "origin" | "picture" | "canvas" | "suggestion" | "structures"> & Partial<Pick<Study, "slice">>,
): Study {
  return { slice: null, ...facts, session: newSession(), choice: null, saved: null };
}

/** Prompts on an image of the user's own, or on any slice of it, that were not saved since. Samples are there again at the next visit. */
export function hasUnsaved({ origin, slice, ...shown }: Study): boolean {
  const unsaved = ({ session, choice, saved }: Pick<Study, "session" | "choice" | "saved">) =>
    !isEmpty(session.now) && (saved?.prompts !== session.now || saved.choice !== choice);
  const others = slice ? [...slice.kept].filter(([key]) => key !== keyOf(slice)).map(([, said]) => said) : [];
  return origin === "file" && [shown, ...others].some(unsaved);
}

/** The candidate that is shown: the user's pick for these very prompts, else the best. */
export function chosenCandidate({ session, choice }: Study, best: number): number {
  return choice?.prompts === session.now ? choice.index : best;
}
