// What is wrong with a prompt, in its caller's words: fetched where one does not fit its image.
import { formatShape, SamError } from "../errors.ts";
import { describe } from "../options.ts";
import { type Aliases, expectNames } from "../options_check.ts";
import type { Config } from "./config.ts";
import { MAX_POINTS, type Point, type Prompt, PROMPT_NAMES, type PromptSpace } from "./prompts.ts";

const WHERE = { code: "prompt", op: "decode" } as const;
const AREA = "Give the top-left corner first; of x, y, width and height make [x, y, x + width, y + height].";
const ALIASES: Aliases = [
  [/label/i, "Give each point its own: points: [{ x, y, label: 0 }]."],
  [/coord|^point/i, "Give them as points: [{ x, y, label: 1 }]."],
  [/box/i, "Give one as box: [x0, y0, x1, y1]; several as several prompts."],
  [/mask_?in|^mask$/i, "Give probabilities of an earlier mask as maskInput."],
];

/** @throws SamError that says what of the prompt is not as it should be. */
export function checkPrompt(prompt: Prompt, { grid }: Config, space: PromptSpace): void {
  expectNames(prompt, PROMPT_NAMES, { ...WHERE, argument: "prompt" }, ALIASES);
  const { points = [], box, maskInput, multimask = true } = prompt;
  if (!Array.isArray(points)) throw promptError("points", "a list of { x, y, label? }", describe(points), "A single point is a list of one.");
  if (points.length > MAX_POINTS)
    throw promptError("points", `at most ${MAX_POINTS} points`, `${points.length}`, "A few dozen place any mask; thin them out, or start a second prompt.");
  if (typeof multimask !== "boolean") throw promptError("multimask", "true or false", describe(multimask), "Leave it out for three candidates.");
  points.forEach((point: Point, i) => {
    const { x, y, label } = checkPoint(point, i);
    const inside = x >= 0 && x < space.width && y >= 0 && y < space.height;
    if (!inside && label !== -1)
      throw promptError(
        `points[${i}]`,
        `inside the image, 0 <= x < ${space.width} and 0 <= y < ${space.height}`,
        `(${x}, ${y})`,
        `Points are in pixels of the original image${exchanged([x, y], space)}.`,
      );
  });
  if (box !== undefined && box !== null) {
    const corners = checkBox(box);
    const [x0, y0, x1, y1] = corners;
    const fits = x0 >= 0 && y0 >= 0 && x1 <= space.width && y1 <= space.height;
    if (!fits)
      throw promptError(
        "box",
        `[x0, y0, x1, y1] inside the image of ${space.width}×${space.height}`,
        formatShape(corners),
        `Boxes are in pixels of the original image${exchanged(corners, space)}.`,
      );
    if (!(x1 > x0 && y1 > y0)) throw promptError("box", "of some area, x0 < x1 and y0 < y1", formatShape(corners), AREA);
  }
  if (maskInput !== undefined && maskInput !== null) {
    const side = 4 * grid;
    // By name, so that an array of another realm passes.
    if (kindOf(maskInput) !== "Float32Array") throw promptError("maskInput", "a Float32Array", describe(maskInput), "Pass Float32Array.from(values).");
    if (maskInput.length !== side * side)
      throw promptError("maskInput", `[${side}, ${side}] values`, `${maskInput.length} values`, "Pass sigmoid(logits) of one mask of an earlier answer.");
    const wrong = maskInput.find((value) => !(value >= 0 && value <= 1));
    if (wrong !== undefined) throw promptError("maskInput", "probabilities from 0 to 1", String(wrong), "Apply the sigmoid to logits first.");
  }
}

/** Said where a prompt would fit with rows first, as arrays are indexed. */
function exchanged(values: readonly number[], { width, height }: PromptSpace): string {
  const fits = values.every((value, i) => value >= 0 && value <= (i % 2 === 0 ? height : width));
  return fits ? ", x to the right and y down: here the two seem exchanged" : "";
}

/** @throws SamError not `{ x, y, label? }` of numbers. */
function checkPoint(point: Point, i: number): Required<Point> {
  const argument = `points[${i}]`;
  if (Array.isArray(point) || ArrayBuffer.isView(point))
    throw promptError(argument, "{ x, y, label? }", describe(point), "Write [x, y] as { x, y }, and its label beside them.");
  expectNames(point, ["x", "y", "label"], { ...WHERE, argument });
  const { x, y, label = 1 } = point;
  if (label !== 0 && label !== 1 && label !== -1)
    throw promptError(`${argument}.label`, "the number 1 (object), 0 (background) or -1 (no point)", describe(label), "Leave it out for an object point.");
  for (const [name, value] of Object.entries({ x, y }))
    if (typeof value !== "number" && label !== -1)
      throw promptError(`${argument}.${name}`, "a number", describe(value), "Points are in pixels of the original image.");
  return { x, y, label };
}

/** @throws SamError not four numbers. */
function checkBox(box: unknown): [number, number, number, number] {
  const list = Array.isArray(box) || (ArrayBuffer.isView(box) && !(box instanceof DataView));
  const sized = typeof box === "object" && box !== null && ("width" in box || "w" in box);
  if (!list)
    throw promptError(
      "box",
      "[x0, y0, x1, y1]",
      describe(box),
      sized ? "Of x, y, width and height make [x, y, x + width, y + height]." : "Give the corners as a list of four numbers.",
    );
  const corners: unknown[] = Array.from(box as unknown as ArrayLike<unknown>);
  const wrong = corners.findIndex((value) => typeof value !== "number");
  if (wrong >= 0) throw promptError(`box[${wrong}]`, "a number", describe(corners[wrong]), "Give one box as [x0, y0, x1, y1]; several as several prompts.");
  if (corners.length !== 4)
    throw promptError("box", "four numbers [x0, y0, x1, y1]", formatShape(corners as number[]), "Give the top-left and the bottom-right corner.");
  return corners as [number, number, number, number];
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function promptError(argument: string, expected: string, got: string, remedy: string): SamError {
  return new SamError({ code: "prompt", op: "decode", argument, expected, got, remedy });
}
