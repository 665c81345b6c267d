// What the user said about one object on one slice: plain values, so that undo is exact.
import type { Box, Prompt } from "../../src/index.ts";
import type { Pixel } from "../stage/view.ts";

export interface PromptPoint extends Pixel {
  readonly label: 0 | 1;
}

/** The mask that a round starts from, as SAM-Med2D refines: probabilities of the round before. */
export interface Previous {
  /** [4g * 4g] probabilities, model space. */
  readonly probabilities: Float32Array;
  /** The model that made them; another one's mean nothing to it. A mask that was drawn means the same to all of them: `null`. */
  readonly model: number | null;
}

/** One round of prompts. Its identity is the key under which its result is kept. */
export interface Prompts {
  readonly points: readonly PromptPoint[];
  readonly box: Box | null;
  readonly previous: Previous | null;
}

export const NO_PROMPTS: Prompts = { points: [], box: null, previous: null };

export function isEmpty({ points, box }: Prompts): boolean {
  return points.length === 0 && box === null;
}

/** A point that is there already changes nothing; one of the other kind at its pixel takes its place. */
export function addPoint(prompts: Prompts, point: PromptPoint, previous: Previous | null = null): Prompts {
  const there = prompts.points.find(({ x, y }) => x === point.x && y === point.y);
  if (there?.label === point.label) return prompts;
  return { ...prompts, points: [...prompts.points.filter((other) => other !== there), point], previous };
}

/** Several points of one kind, as a scribble gives them. */
export function addPoints(prompts: Prompts, points: readonly PromptPoint[], previous: Previous | null = null): Prompts {
  const added = points.reduce((all, point) => addPoint(all, point, previous), prompts);
  return added === prompts ? prompts : { ...added, previous };
}

export function setBox(prompts: Prompts, box: Box, previous: Previous | null = null): Prompts {
  return { ...prompts, box, previous };
}

/** A point or the box's edges dragged to another place. */
export function movePoint(prompts: Prompts, index: number, { x, y }: Pixel): Prompts {
  return { ...prompts, points: prompts.points.map((point, i) => (i === index ? { ...point, x, y } : point)), previous: null };
}

export function removePoint(prompts: Prompts, index: number): Prompts {
  return { ...prompts, points: prompts.points.filter((_, i) => i !== index), previous: null };
}

export function removeBox(prompts: Prompts): Prompts {
  return { ...prompts, box: null, previous: null };
}

/** For the model: the previous mask only where this very model made it, or a hand did. */
export function toPrompt({ points, box, previous }: Prompts, model: number, multimask: boolean): Prompt {
  const usable = previous && (previous.model === model || previous.model === null);
  return {
    multimask,
    ...(points.length > 0 && { points: points.map(({ x, y, label }) => ({ x, y, label })) }),
    ...(box && { box }),
    ...(usable && { maskInput: previous.probabilities }),
  };
}
