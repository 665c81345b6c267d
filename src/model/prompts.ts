// Prompts as the caller gives them → tokens for the decoder.
import { formatShape, SamError } from "../errors.ts";
import type { Config } from "./config.ts";

export interface Point {
  /** Original pixels, 0 <= x < width. */
  readonly x: number;
  /** Original pixels, 0 <= y < height. */
  readonly y: number;
  /** 1 belongs to the object (default), 0 does not, -1 is no point. */
  readonly label?: 0 | 1 | -1;
}

/** Original pixels, half-open, x0 < x1 and y0 < y1. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

export interface Prompt {
  readonly points?: readonly Point[] | undefined;
  readonly box?: Box | undefined;
  /** [4g, 4g] probabilities in model space, as `sigmoid(logits)` of an earlier answer. */
  readonly maskInput?: Float32Array | undefined;
  /** Three candidates (default), or the single mask. */
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

const CORNERS = [2, 3];

/** Checks a prompt and brings it to model pixels. Points come before box corners; points without a box get one padding point. */
export function encodePrompt(prompt: Prompt, { grid }: Config, space: PromptSpace): EncodedPrompt {
  if (kindOf(prompt) !== "Object") throw promptError("prompt", "{ points?, box?, maskInput?, multimask? }", kindOf(prompt), "Pass {} for no prompt at all.");
  const { points = [], box, maskInput, multimask = true } = prompt;
  const tokens: number[] = [];
  if (!Array.isArray(points)) throw promptError("points", "a list of { x, y, label? }", kindOf(points), "A single point is a list of one.");
  points.forEach(({ x, y, label = 1 }, i) => {
    const inside = x >= 0 && x < space.width && y >= 0 && y < space.height;
    if (!inside && label !== -1)
      throw promptError(
        `points[${i}]`,
        `inside the image, 0 <= x < ${space.width} and 0 <= y < ${space.height}`,
        `(${x}, ${y})`,
        "Points are in pixels of the original image.",
      );
    if (label !== 0 && label !== 1 && label !== -1)
      throw promptError(`points[${i}].label`, "1 (object), 0 (background) or -1 (no point)", String(label), "Leave it out for an object point.");
    tokens.push(...space.toModel(label === -1 ? 0 : x, label === -1 ? 0 : y), label, 0);
  });
  if (box) {
    const corners = Array.from(box) as [number, number, number, number];
    const [x0, y0, x1, y1] = corners;
    const fits = corners.length === 4 && x0 >= 0 && y0 >= 0 && x1 <= space.width && y1 <= space.height;
    if (!fits)
      throw promptError(
        "box",
        `[x0, y0, x1, y1] inside the image of ${space.width}×${space.height}`,
        formatShape(corners),
        "Boxes are in pixels of the original image.",
      );
    if (!(x1 > x0 && y1 > y0)) throw promptError("box", "of some area, x0 < x1 and y0 < y1", formatShape(corners), "Give the top-left corner first.");
    tokens.push(...space.toModel(x0, y0), CORNERS[0] as number, 0, ...space.toModel(x1, y1), CORNERS[1] as number, 0);
  } else if (points.length > 0) {
    tokens.push(0, 0, -1, 0);
  }
  if (maskInput) {
    const side = 4 * grid;
    // By name, so that an array of another realm passes.
    if (kindOf(maskInput) !== "Float32Array") throw promptError("maskInput", "a Float32Array", kindOf(maskInput), "Pass Float32Array.from(values).");
    if (maskInput.length !== side * side)
      throw promptError("maskInput", `[${side}, ${side}] values`, `${maskInput.length} values`, "Pass sigmoid(logits) of one mask of an earlier answer.");
    const wrong = maskInput.find((value) => !(value >= 0 && value <= 1));
    if (wrong !== undefined) throw promptError("maskInput", "probabilities from 0 to 1", String(wrong), "Apply the sigmoid to logits first.");
  }
  return { tokens, mask: maskInput, multimask };
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function promptError(argument: string, expected: string, got: string, remedy: string): SamError {
  return new SamError({ code: "prompt", op: "decode", argument, expected, got, remedy });
}
