// What leaves the page, to the user's own disk: the mask as PNG, the prompts as JSON; and prompts coming back.
import type { Box, Mask } from "../../src/index.ts";
import { SamError } from "../../src/index.ts";
import type { PromptPoint, Prompts } from "../annotate/prompts.ts";

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** 8-bit gray, 255 inside, 0 outside, at the image's own size: loaders get one value a pixel. No canvas, which may fail and be blank. */
export async function maskPng({ data, width, height }: Mask): Promise<Blob> {
  const { encode } = await import("fast-png");
  const gray = Uint8Array.from(data, (inside) => (inside ? 255 : 0));
  return new Blob([encode({ width, height, data: gray, depth: 8, channels: 1 }) as Uint8Array<ArrayBuffer>], { type: "image/png" });
}

export interface PromptFile {
  readonly image: { readonly name: string; readonly width: number; readonly height: number };
  /** Original pixels. */
  readonly points: readonly PromptPoint[];
  /** Original pixels, half-open: x0, y0, x1, y1. */
  readonly box: Box | null;
  /** Whether the mask of an earlier round was given too; then these prompts alone don't make the same mask again. */
  readonly refined: boolean;
  readonly result?: {
    readonly model: string;
    readonly meaningless: boolean;
    readonly scores: readonly number[];
    readonly chosen: number;
    readonly area: number;
  };
}

export function promptFile(image: PromptFile["image"], { points, box, previous }: Prompts, result?: PromptFile["result"]): PromptFile {
  return { image, points, box, refined: previous !== null, ...(result && { result }) };
}

export interface ReadPrompts {
  readonly points: PromptPoint[];
  readonly box: Box | null;
  /** The candidate that was chosen for them. */
  readonly chosen?: number;
}

/** The image that a prompt file says it is of, or null where it says nothing or is none. */
export function imageOfPrompts(text: string): PromptFile["image"] | null {
  try {
    const { image } = JSON.parse(text) as Partial<PromptFile>;
    return image && typeof image.name === "string" && Number.isInteger(image.width) && Number.isInteger(image.height) ? image : null;
  } catch {
    return null;
  }
}

/** Reads what `promptFile` wrote; checks that it fits the image. */
export function readPromptFile(text: string, name: string, width: number, height: number): ReadPrompts {
  const fail = (got: string): never => {
    const expected = `points and a box inside ${width} × ${height} pixels, as this page saves them`;
    throw new SamError({ code: "prompt", op: "open", argument: name, expected, got, remedy: "Open the image that the prompts belong to first." });
  };
  let file: Partial<PromptFile> | null = null;
  try {
    file = JSON.parse(text) as Partial<PromptFile> | null;
  } catch {
    fail("a file that is not JSON");
  }
  const within = (x: unknown, y: unknown, slack: number) =>
    typeof x === "number" && typeof y === "number" && x >= 0 && y >= 0 && x < width + slack && y < height + slack;
  const points = Array.isArray(file?.points) ? (file.points as PromptPoint[]) : [];
  for (const [index, point] of points.entries()) {
    if (!within(point?.x, point?.y, 0) || (point.label !== 0 && point.label !== 1)) fail(`point ${index + 1}: ${JSON.stringify(point)}`);
  }
  const box = Array.isArray(file?.box) ? (file.box as unknown as Box) : null;
  if (box && (box.length !== 4 || !within(box[0], box[1], 0) || !within(box[2], box[3], 1) || box[0] >= box[2] || box[1] >= box[3]))
    fail(`box ${JSON.stringify(box)}`);
  if (points.length === 0 && !box) fail("neither a point nor a box");
  const chosen = file?.result?.chosen;
  return { points: points.map(({ x, y, label }) => ({ x, y, label })), box, ...(Number.isInteger(chosen) && { chosen: chosen as number }) };
}

/** `scan.final.png` → `scan.final`, safe for every file system. */
export function baseName(name: string): string {
  return (
    name
      .replace(/\.[a-z0-9]{1,5}$/i, "")
      .replace(/[^\p{L}\p{N}._-]+/gu, "_")
      .replace(/^_+|_+$/g, "") || "image"
  );
}
