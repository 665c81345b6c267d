// What the user said about one object on one slice: plain values, so that undo is exact.
import type { Box, Prompt } from "../../src/index.ts";
import type { Runs } from "../../src/volume/index.ts";
import type { Pixel } from "../stage/view.ts";

export interface PromptPoint extends Pixel {
  readonly label: 0 | 1;
}

/**
 * The mask that a round starts from: as SAM-Med2D refines, probabilities of the round before, [4g * 4g] in model space, of the model of that number;
 * or a mask that no prompt made, drawn or read from a file, which prompts correct.
 */
export type Previous = { readonly probabilities: Float32Array; readonly model: number } | { readonly drawn: Runs };

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
  return { ...prompts, points: prompts.points.map((point, i) => (i === index ? { ...point, x, y } : point)), previous: drawnBefore(prompts) };
}

export function removePoint(prompts: Prompts, index: number): Prompts {
  return { ...prompts, points: prompts.points.filter((_, i) => i !== index), previous: drawnBefore(prompts) };
}

export function removeBox(prompts: Prompts): Prompts {
  return { ...prompts, box: null, previous: drawnBefore(prompts) };
}

/** A mask that was drawn is what all of its prompts correct; what the model made before is of other prompts. */
function drawnBefore({ previous }: Prompts): Previous | null {
  return previous && "drawn" in previous ? previous : null;
}

/** For the model: a mask of its own before only where this very model made it; one that was drawn as `inputOf` brings it to the model's square. */
export function toPrompt({ points, box, previous }: Prompts, model: number, multimask: boolean | "auto", inputOf: (drawn: Runs) => Float32Array): Prompt {
  const maskInput = !previous ? null : "drawn" in previous ? inputOf(previous.drawn) : previous.model === model ? previous.probabilities : null;
  return {
    ...(multimask !== "auto" && { multimask }),
    ...(points.length > 0 && { points: points.map(({ x, y, label }) => ({ x, y, label })) }),
    ...(box && { box }),
    ...(maskInput && { maskInput }),
  };
}
