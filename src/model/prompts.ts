// Prompts as the caller gives them → tokens for the decoder.
import type { InputPreset } from "../image/input.ts";
import { isNamed } from "../options.ts";
import type { Config } from "./config.ts";

export interface Point {
  /** Original pixels, 0 <= x < width. */
  readonly x: number;
  /** Original pixels, 0 <= y < height. */
  readonly y: number;
  /** 1 belongs to the object (default), 0 does not, -1 is no point; nothing else. */
  readonly label?: number | undefined;
}

/** Original pixels, half-open, x0 < x1 and y0 < y1. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

export interface Prompt {
  readonly points?: readonly Point[] | undefined;
  /** `Box`: four numbers, in whatever list a page's state holds them; null is none. */
  readonly box?: readonly number[] | null | undefined;
  /** [4g, 4g] probabilities in model space, as `sigmoid(logits)` of an earlier answer. */
  readonly maskInput?: Float32Array | null | undefined;
  /** Three candidates, or the single mask. By default what `input.multimask` of the model says: three, but for models trained otherwise. */
  readonly multimask?: boolean | undefined;
}

/** Where original pixels lie among model pixels. */
export interface PromptSpace {
  readonly width: number;
  readonly height: number;
  readonly toModel: (x: number, y: number) => readonly [number, number];
}

export interface EncodedPrompt {
  /** x, y in model pixels, label (-1, 0, 1; 2 and 3 for box corners), 0: four values a token. */
  readonly tokens: readonly number[];
  readonly mask: Float32Array | undefined;
  readonly multimask: boolean;
}

/** Each is a token that all image tokens attend to. */
export const MAX_POINTS = 1024;
export const PROMPT_NAMES = ["points", "box", "maskInput", "multimask"];

/** Whether a prompt is answered with three candidates. */
export function isMultimask({ points = [], box, maskInput, multimask }: Prompt, unlessSaid: InputPreset["multimask"]): boolean {
  const said = multimask ?? unlessSaid;
  return said === "ambiguous" ? points.length < 2 && !box && !maskInput : said;
}

/** Brings a prompt to model pixels. Points come before box corners; points without a box get one padding point. */
export function encodePrompt(prompt: Prompt, space: PromptSpace, multimaskUnlessSaid: InputPreset["multimask"] = true): EncodedPrompt {
  const { points = [], box, maskInput } = prompt;
  const tokens = points.flatMap(({ x, y, label = 1 }) => [...space.toModel(label === -1 ? 0 : x, label === -1 ? 0 : y), label, 0]);
  if (box) {
    const [x0, y0, x1, y1] = box as Box;
    tokens.push(...space.toModel(x0, y0), 2, 0, ...space.toModel(x1, y1), 3, 0);
  } else if (points.length > 0) tokens.push(0, 0, -1, 0);
  return { tokens, mask: maskInput ?? undefined, multimask: isMultimask(prompt, multimaskUnlessSaid) };
}

/** Whether a prompt is one as the types say, inside its image. `prompt_check.ts` says what is wrong where it is not. */
export function fitsImage(prompt: Prompt, { grid }: Config, { width, height }: PromptSpace): boolean {
  if (!isNamed(prompt, PROMPT_NAMES)) return false;
  const { points = [], box, maskInput, multimask = true } = prompt;
  const inside = (point: Point) => {
    if (!isNamed(point, ["x", "y", "label"])) return false;
    const { x, y, label = 1 } = point;
    return label === -1 || ((label === 0 || label === 1) && typeof x === "number" && typeof y === "number" && x >= 0 && x < width && y >= 0 && y < height);
  };
  if (typeof multimask !== "boolean" || !Array.isArray(points) || points.length > MAX_POINTS || !points.every(inside)) return false;
  if ((box ?? null) !== null) {
    if (!(Array.isArray(box) && box.length === 4 && box.every((value) => typeof value === "number"))) return false;
    const [x0, y0, x1, y1] = box as unknown as Box;
    if (!(x0 >= 0 && y0 >= 0 && x1 <= width && y1 <= height && x1 > x0 && y1 > y0)) return false;
  }
  return (
    (maskInput ?? null) === null ||
    (maskInput instanceof Float32Array && maskInput.length === (4 * grid) ** 2 && maskInput.every((value) => value >= 0 && value <= 1))
  );
}
