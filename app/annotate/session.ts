// What the user said about one image, and everything they said before: plain values, so that undo is exact.
import type { Box, Prompt } from "../../src/index.ts";
import type { Pixel } from "../stage/view.ts";

export interface PromptPoint extends Pixel {
  readonly label: 0 | 1;
}

/** The mask that a round starts from, as SAM-Med2D refines: probabilities of the round before. */
export interface Previous {
  /** [4g * 4g] probabilities, model space. */
  readonly probabilities: Float32Array;
  /** The model that made them; another one's mean nothing to it. */
  readonly model: number;
}

/** One round of prompts. Its identity is the key under which its result is kept. */
export interface Prompts {
  readonly points: readonly PromptPoint[];
  readonly box: Box | null;
  readonly previous: Previous | null;
}

export interface Session {
  readonly past: readonly Prompts[];
  readonly now: Prompts;
  readonly future: readonly Prompts[];
}

/** As many steps as anyone wants back. */
const MOST_PAST = 500;

/** Of the masks that steps start from, in memory. */
const MOST_PAST_BYTES = 32 << 20;

export function newSession(): Session {
  return { past: [], now: { points: [], box: null, previous: null }, future: [] };
}

export function isEmpty({ points, box }: Prompts): boolean {
  return points.length === 0 && box === null;
}

/** A point that is there already changes nothing; one of the other kind at its pixel takes its place. */
export function addPoint(session: Session, point: PromptPoint, previous: Previous | null = null): Session {
  const { points } = session.now;
  const there = points.find(({ x, y }) => x === point.x && y === point.y);
  if (there?.label === point.label) return session;
  return next(session, { ...session.now, points: [...points.filter((other) => other !== there), point], previous });
}

export function setBox(session: Session, box: Box, previous: Previous | null = null): Session {
  return next(session, { ...session.now, box, previous });
}

export function removePoint(session: Session, index: number): Session {
  return next(session, { ...session.now, points: session.now.points.filter((_, i) => i !== index), previous: null });
}

export function removeBox(session: Session): Session {
  return next(session, { ...session.now, box: null, previous: null });
}

/** A step like any other: it can be undone. */
export function clear(session: Session): Session {
  return isEmpty(session.now) ? session : next(session, { points: [], box: null, previous: null });
}

/** Prompts from elsewhere, a file: again a step. */
export function replace(session: Session, points: readonly PromptPoint[], box: Box | null): Session {
  return next(session, { points, box, previous: null });
}

export function undo(session: Session): Session {
  const before = session.past.at(-1);
  return before ? { past: session.past.slice(0, -1), now: before, future: [session.now, ...session.future] } : session;
}

export function redo(session: Session): Session {
  const [after, ...future] = session.future;
  return after ? { past: [...session.past, session.now], now: after, future } : session;
}

function next({ past, now }: Session, prompts: Prompts): Session {
  return { past: bounded([...past, now]), now: prompts, future: [] };
}

function bounded(past: readonly Prompts[]): readonly Prompts[] {
  let bytes = 0;
  let first = past.length;
  while (first > 0 && past.length - first < MOST_PAST) {
    bytes += past[first - 1]?.previous?.probabilities.byteLength ?? 0;
    if (bytes > MOST_PAST_BYTES) break;
    first--;
  }
  return past.slice(first);
}

/** For the model: the previous mask only where this very model made it. */
export function toPrompt({ points, box, previous }: Prompts, model: number, multimask: boolean): Prompt {
  return {
    multimask,
    ...(points.length > 0 && { points: points.map(({ x, y, label }) => ({ x, y, label })) }),
    ...(box && { box }),
    ...(previous?.model === model && { maskInput: previous.probabilities }),
  };
}

/** `sigmoid` of candidate `index`'s low-resolution logits: the mask input of the round that follows. */
export function probabilitiesOf(logits: Float32Array, candidates: number, index: number): Float32Array {
  const count = logits.length / candidates;
  return Float32Array.from(logits.subarray(index * count, (index + 1) * count), (logit) => 1 / (1 + Math.exp(-logit)));
}
