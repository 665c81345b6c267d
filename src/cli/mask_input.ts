// --mask-input: an earlier mask's probabilities from a NumPy file, and what others mistake for them.
import { readFile } from "node:fs/promises";
import { kindOf, nameOfKind } from "../bytes/sniff.ts";
import { readNpy } from "../image/npy.ts";
import { CommandError, reasonOf, UsageError } from "./usage.ts";

/** `[n, n]`, also with leading ones: probabilities in model space. Which `n` is known once the model is. */
export async function readMaskInput(path: string): Promise<Float32Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new CommandError(`cannot read --mask-input ${path}: ${reasonOf(cause)}`, { cause });
  }
  const head = bytes.subarray(0, 512);
  if (kindOf(head)?.id !== "npy")
    throw new UsageError(`--mask-input ${path} must be a NumPy .npy file of probabilities, got ${nameOfKind(head)}: write it with numpy.save`);
  const { shape, data } = readNpy(bytes, path);
  const leading = shape.slice(0, -2);
  if (shape.length < 2 || shape.at(-1) !== shape.at(-2) || leading.some((side) => side !== 1)) {
    const [candidates = 0] = shape.slice(-3);
    const several = shape.length === 3 && shape[1] === shape[2] && candidates > 1;
    const choose = several
      ? `. It holds ${candidates} candidates, as --save-logits writes them: keep one, as probabilities: 1 / (1 + numpy.exp(-a[best]))`
      : "";
    throw new UsageError(`--mask-input ${path} must be [64, 64], got [${shape.join(", ")}]${choose}`);
  }
  const outside = data.findIndex((value) => !(value >= 0 && value <= 1));
  if (outside < 0) return data;
  const side = shape.at(-1) as number;
  const at = `[${Math.floor(outside / side)}, ${outside % side}]`;
  const gray = data.some((value) => value > 100) && data.every((value) => value >= 0 && value <= 255 && Number.isInteger(value));
  const remedy = gray ? "it looks like gray values from 0 to 255: divide by 255" : "apply a sigmoid to logits";
  throw new UsageError(`--mask-input ${path} must hold probabilities from 0 to 1, got ${data[outside]} at ${at}: ${remedy}`);
}

/** In the words of the command line, and before the image is encoded. */
export function checkMaskSide({ length }: Float32Array, wanted: number, path: string): void {
  const side = Math.sqrt(length);
  if (side !== wanted) throw new UsageError(`--mask-input ${path} must be [${wanted}, ${wanted}] for these weights, got [${side}, ${side}]`);
}
