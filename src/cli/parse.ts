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
  if (!(x0 < x1 && y0 < y1)) throw new UsageError(`--box ${text} has no area: x0 must be less than x1, and y0 less than y1`);
  return [x0, y0, x1, y1];
}

/** Here, before minutes are spent on loading, and in the words of the command line. */
export function checkInside({ points = [], box }: Prompt, width: number, height: number, file: string): void {
  const image = `${file} is ${width}×${height}`;
  for (const { x, y } of points) {
    if (!(x >= 0 && x < width && y >= 0 && y < height)) {
      throw new UsageError(`--point ${x},${y} is outside the image: ${image}, so x must be from 0 to below ${width} and y from 0 to below ${height}`);
    }
  }
  if (!box) return;
  const [x0, y0, x1, y1] = box;
  if (!(x0 >= 0 && y0 >= 0 && x1 <= width && y1 <= height)) {
    throw new UsageError(`--box ${box.join(",")} is outside the image: ${image}, so x must be from 0 to ${width} and y from 0 to ${height}`);
  }
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
