// Option values: text → numbers, and prompts against the image they are meant for. Coordinates are original pixels, (x, y).
import { isPrecision, type Precision, PRECISIONS } from "../bench/precision.ts";
import { MODES, type Mode } from "../eval/modes.ts";
import type { Box, Point, Prompt } from "../index.ts";
import { UsageError } from "./usage.ts";

function numbers(text: string): number[] {
  return text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
}

/** `x,y` or `x,y,label` */
export function parsePoint(text: string): Point {
  const values = numbers(text);
  const [x, y, label = 1] = values;
  const fits = values.length === 2 || values.length === 3;
  if (!fits || x === undefined || y === undefined || !Number.isFinite(x) || !Number.isFinite(y)) {
    throw new UsageError(`--point must be x,y or x,y,label, for instance 120,88,1; got ${text}`);
  }
  if (label !== 1 && label !== 0 && label !== -1) {
    throw new UsageError(`--point ${text}: the label must be 1 (inside), 0 (outside) or -1 (no point); got ${text.split(",")[2]}`);
  }
  return { x, y, label };
}

/** `x0,y0,x1,y1` */
export function parseBox(text: string): Box {
  const values = numbers(text);
  const [x0, y0, x1, y1] = values;
  if (values.length !== 4 || x0 === undefined || y0 === undefined || x1 === undefined || y1 === undefined || !values.every(Number.isFinite)) {
    throw new UsageError(`--box must be x0,y0,x1,y1, for instance 40,30,160,120; got ${text}`);
  }
  if (!(x0 < x1 && y0 < y1)) {
    const sides = x1 > 0 && y1 > 0 ? `. If it is a corner, width and height, the box is ${x0},${y0},${x0 + x1},${y0 + y1}` : "";
    throw new UsageError(`--box ${text} has no area: x0 must be less than x1, and y0 less than y1${sides}`);
  }
  return [x0, y0, x1, y1];
}

export interface PromptedImage {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** By EXIF, 2 to 8, where it was turned upright. */
  readonly orientation?: number;
}

/** Here, before minutes are spent on loading, and in the words of the command line. */
export function checkInside({ points = [], box: corners }: Prompt, image: PromptedImage): void {
  const box = corners as Box | undefined;
  const { width, height, file } = image;
  const size = `${file} is ${width}×${height}`;
  expectPixels(points, box, image);
  for (const { x, y } of points) {
    if (!(x >= 0 && x < width && y >= 0 && y < height)) {
      const turned = turnedWords(image, x, y) || exchangedWords("--point", [x, y], image);
      throw new UsageError(`--point ${x},${y} is outside the image: ${size}, so x must be from 0 to below ${width} and y from 0 to below ${height}${turned}`);
    }
  }
  if (!box) return;
  const [x0, y0, x1, y1] = box;
  if (x0 >= 0 && y0 >= 0 && x1 <= width && y1 <= height) return;
  const sides =
    x0 + x1 <= width && y0 + y1 <= height && x0 >= 0 && y0 >= 0 ? `. If it is a corner, width and height, the box is ${x0},${y0},${x0 + x1},${y0 + y1}` : "";
  const words = `--box ${box.join(",")} is outside the image: ${size}, so x must be from 0 to ${width} and y from 0 to ${height}`;
  throw new UsageError(`${words}${turnedWords(image, x1, y1) || sides || exchangedWords("--box", box, image)}`);
}

/** Where a prompt would fit with rows first, as arrays are indexed. */
function exchangedWords(option: string, values: readonly number[], { width, height }: PromptedImage): string {
  const exchanged = values.map((_, i) => values[i ^ 1] as number);
  const fits = exchanged.every((value, i) => value >= 0 && value <= (i % 2 === 0 ? width : height));
  return fits ? `. x is to the right and y down: with the two exchanged it is ${option} ${exchanged.join(",")}` : "";
}

/** Where a prompt would fit the picture as it is stored. */
function turnedWords({ width, height, orientation = 1 }: PromptedImage, x: number, y: number): string {
  if (orientation < 5 || x > height || y > width) return "";
  return `. The file's EXIF orientation (${orientation}) turns it by 90°, and prompts count pixels of the upright picture`;
}

/** Shares of the sides, from 0 to 1, would all fall into the first pixel. */
function expectPixels(points: readonly Point[], box: Box | undefined, { file, width, height }: PromptedImage): void {
  const values = [...points.flatMap(({ x, y }) => [x, y]), ...(box ?? [])];
  const shares = values.every((value) => value >= 0 && value <= 1) && values.some((value) => !Number.isInteger(value));
  // The middle of the first pixel is a place one may mean.
  if (!shares || width <= 2 || height <= 2 || (!box && values.every((value) => value === 0.5))) return;
  const pixels = (x: number, y: number) => `${Math.round(x * width)},${Math.round(y * height)}`;
  const [x, y] = values as [number, number];
  const [x0, y0, x1, y1] = box ?? [0, 0, 0, 0];
  const example = points.length > 0 ? `--point ${pixels(x, y)}` : `--box ${pixels(x0, y0)},${pixels(x1, y1)}`;
  throw new UsageError(
    `the prompt looks like shares of the image's sides, all of it within its first pixel: give pixels. ${file} is ${width}×${height}, so this would be ${example}`,
  );
}

export function parseSlice(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new UsageError(`--slice must be a whole number from 0; got ${text}`);
  return Number(text);
}

export function parsePosition(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UsageError(`--position must be a number of millimetres; got ${text}`);
  return value;
}

const PLANES = ["sagittal", "coronal", "axial", "stored"] as const;

/** `axial,coronal` */
export function parsePlanes(text: string): (typeof PLANES)[number][] {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => PLANES.some((plane) => plane === part))) throw new UsageError(`--planes must be of ${PLANES.join(", ")}; got ${text}`);
  return PLANES.filter((plane) => parts.includes(plane));
}

/** `30:55`, both included */
export function parseRange(text: string): readonly [number, number] {
  const [, first, last] = /^(\d{1,7}):(\d{1,7})$/.exec(text) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last))
    throw new UsageError(`--propagate must be the first and the last slice, for instance 30:55; got ${text}`);
  return [Number(first), Number(last)];
}

/** `box,1,5`, `all` */
export function parsePrompts(text: string): Mode[] {
  if (text === "all") return [...MODES];
  const parts = text.split(",");
  const unknown = parts.filter((part) => !MODES.some((mode) => mode === part));
  if (unknown.length > 0) throw new UsageError(`--prompts must be of ${MODES.join(", ")}, or all; got ${text}`);
  return MODES.filter((mode) => parts.includes(mode));
}

export function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff) throw new UsageError(`--seed must be a whole number from 0 to 4294967295; got ${text}`);
  return Number(text);
}

/** `2/8`, `auto/8`, `auto`: part and number of parts, the part from 0. */
export function parseShard(text: string, env: Readonly<Record<string, string | undefined>>): { index: number; count: number } {
  const [part = "", count, more] = text.split("/");
  const whole = (value: string | undefined) => (value !== undefined && /^\d+$/.test(value) ? Number(value) : Number.NaN);
  const automatic = part === "auto" ? scheduled(env) : undefined;
  if (part === "auto" && !automatic) {
    throw new UsageError(`--shard ${text}: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set to a number`);
  }
  const index = automatic ? automatic.index : whole(part) - 1;
  const parts = count === undefined && automatic ? automatic.count : whole(count);
  if (automatic && Number.isNaN(parts)) throw new UsageError(`--shard ${text}: say how many parts there are, for instance auto/8`);
  if (more !== undefined || !(index >= 0 && index < parts)) {
    throw new UsageError(`--shard must be i/n with i from 1 to n, or auto; got ${text}${automatic ? `, with part ${index + 1}` : ""}`);
  }
  return { index, count: parts };
}

/** The part this process is, by Slurm's array or Kubernetes' indexed job; Kubernetes does not tell how many there are. */
function scheduled(env: Readonly<Record<string, string | undefined>>): { index: number; count: number } | undefined {
  const number = (name: string) => (/^\d+$/.test(env[name] ?? "") ? Number(env[name]) : Number.NaN);
  const task = number("SLURM_ARRAY_TASK_ID");
  if (!Number.isNaN(task)) {
    const first = number("SLURM_ARRAY_TASK_MIN");
    const step = number("SLURM_ARRAY_TASK_STEP");
    return { index: (task - (Number.isNaN(first) ? 0 : first)) / (step > 0 ? step : 1), count: number("SLURM_ARRAY_TASK_COUNT") };
  }
  const completion = number("JOB_COMPLETION_INDEX");
  return Number.isNaN(completion) ? undefined : { index: completion, count: Number.NaN };
}

/** `200MB` → bytes; decimal units, as file sizes are shown. */
export function parseSize(text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([kMG]?)B?$/.exec(text) ?? [];
  const bytes = Number(digits) * ({ "": 1, k: 1e3, M: 1e6, G: 1e9 }[unit] ?? Number.NaN);
  if (!(bytes >= 4096)) throw new UsageError(`--shard must be a size from 4096 bytes, for instance 200MB; got ${text}`);
  return Math.floor(bytes);
}

/** A positive number; named after the option in the error. */
export function positive(option: string, whole = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value > 0 && Number.isFinite(value)) || (whole && !Number.isInteger(value))) {
      throw new UsageError(`${option} must be a ${whole ? "whole " : ""}number above 0; got ${text}`);
    }
    return value;
  };
}

/** `f32` or `f32,f16`. */
export function parsePrecisions(text: string): Precision[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !isPrecision(name));
  if (unknown !== undefined) throw new UsageError(`--precision must be of ${PRECISIONS.join(", ")}, with commas between; got ${text}`);
  return [...new Set(names.filter(isPrecision))];
}

/** 0 to 1. */
export function share(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= 0 && value <= 1)) throw new UsageError(`${option} ${text}: must be a number from 0 to 1`);
    return value;
  };
}

/** 0, 1, 2, … */
export function whole(option: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} ${text}: must be a whole number, 0 or more`);
    return Number(text);
  };
}

/** `--single` and `--three`; without either the model's own way. */
export function multimaskOf({ single, three }: { readonly single?: boolean; readonly three?: boolean }): Pick<Prompt, "multimask"> {
  return single || three ? { multimask: three === true } : {};
}
