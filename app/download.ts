// What leaves the page, to the user's own disk: the mask as PNG, the prompts as JSON; and prompts coming back.
import type { Box, Mask } from "../src/index.ts";
import { SamError } from "../src/index.ts";
import type { PromptPoint, Prompts } from "./session.ts";

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** White inside, black outside, at the image's own size. */
export async function maskPng({ data, width, height }: Mask): Promise<Blob> {
  const pixels = new ImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < data.length; i++) words[i] = data[i] ? 0xffffffff : 0xff000000;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
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

/** Reads what `promptFile` wrote; checks that it fits the image. */
export function readPromptFile(text: string, name: string, width: number, height: number): { points: PromptPoint[]; box: Box | null } {
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
  return { points: points.map(({ x, y, label }) => ({ x, y, label })), box };
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
