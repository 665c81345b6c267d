// From an accepted slice to its neighbours: each slice is asked for with prompts made of the mask before it, until a rule says stop.
import { SamError } from "../errors.ts";
import type { Framing, RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import { expectOptions, namesOf } from "../option_names.ts";
import { probabilities } from "../image/mask_out.ts";
import { describe, isList } from "../options.ts";
import type { Decoded, MaskSource, Prompt } from "../segmenter.ts";
import { signedDistances } from "./distance.ts";
import { expectRuns, expectSegmenter } from "./fail.ts";
import { maskInputOfRuns } from "./coverage.ts";
import { connectedParts } from "./parts.ts";
import { boundsOf, intersection, pixelCount, type Runs, runsOf, union } from "./runs.ts";

export interface PropagateOptions {
  /** The accepted slice, from 0. */
  readonly from: number;
  /** Its mask: runs, or [rows, columns] of 0 and others. */
  readonly mask: Runs | Uint8Array;
  /** The network's logits of that mask, [4g, 4g], where it was not drawn by hand; without them the mask itself goes in. */
  readonly logits?: Float32Array | undefined;
  /** First and last slice to reach, both included; both directions where they lie around `from`. */
  readonly range: readonly [first: number, last: number];
  /** The 8-bit picture of a slice, the one on screen: `render(await view.slice(k), window, view)`. A view in any plane will do. */
  readonly picture: (slice: number, signal?: AbortSignal) => Promise<RawImage>;
  readonly stop?: StopRules | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** When a direction ends. */
export interface StopRules {
  /** The area grows or shrinks by more than this factor from one slice to the next; default 2. */
  readonly areaJump?: number | undefined;
  /** The network's predicted IoU falls below this; default 0.5. */
  readonly score?: number | undefined;
  /** Less than this share of the smaller of the two masks lies on the other; default 0.3. */
  readonly overlap?: number | undefined;
}

/** `end`: the last slice of the range was reached; the others: this slice's mask broke a rule, and nothing beyond it is asked for. */
export type StopReason = "empty" | "area" | "score" | "overlap" | "end";

/** One slice's answer, for a person to accept. */
export interface Proposal {
  readonly slice: number;
  /** Away from the accepted slice: 1 to higher slices, -1 to lower. */
  readonly direction: 1 | -1;
  readonly runs: Runs;
  /** Predicted IoU; of several parts the least. */
  readonly score: number;
  /** Of the chosen candidates' logits, [4g, 4g]; where parts were asked for one by one, the largest of them at each place. */
  readonly logits: Float32Array;
  /** Whether the rules hold: what broke one is given to be looked at, not to be taken unseen. */
  readonly sound: boolean;
  /** Why this direction ends here, if it does. */
  readonly stop?: StopReason;
  /** In words: "area 812 to 790 pixels, predicted IoU 0.91". */
  readonly reason: string;
}

interface Known {
  readonly runs: Runs;
  readonly logits: Float32Array | undefined;
}

const NAMES = namesOf<Required<PropagateOptions>>({ from: 1, mask: 1, logits: 1, range: 1, picture: 1, stop: 1, signal: 1 });
const STOPS = namesOf<Required<StopRules>>({ areaJump: 1, score: 1, overlap: 1 });

/** See fetched.ts. */
export async function* propagate(segmenter: MaskSource, options: PropagateOptions): AsyncGenerator<Proposal, void> {
  await expectOptions(options, NAMES, "prompt", "propagate");
  if (options.stop) await expectOptions(options.stop, STOPS, "prompt", "propagate", "stop");
  expectSegmenter("propagate", segmenter);
  const { from, range, picture: pictureOf, signal, logits } = options;
  if (!isList(range)) throw wrong("range", "[first, last]", describe(range), "Pass the slices to reach, both included.");
  if (typeof pictureOf !== "function") throw wrong("picture", "a function", describe(pictureOf), "Pass what gives the picture of a slice.");
  const [first, last] = range;
  const start: Known = { runs: options.mask instanceof Uint8Array ? runsOf(options.mask) : options.mask, logits };
  expectRuns("propagate", start.runs);
  if (start.runs.length === 0) throw wrong("mask", "something drawn", "nothing", "Accept a mask on the slice first.");
  if (!(first <= from && from <= last)) throw wrong("range", `slices around ${from}`, `${first} to ${last}`, "Begin on a slice of the range.");
  const heads = ([1, -1] as const).map((direction) => ({ direction, slice: from, known: start, open: direction === 1 ? from < last : from > first }));
  while (heads.some(({ open }) => open)) {
    for (const head of heads) {
      if (!head.open) continue;
      signal?.throwIfAborted();
      head.slice += head.direction;
      const picture = await pictureOf(head.slice, signal);
      const found = await ask(segmenter, picture, head.known, signal);
      const proposal = judged(found, head.known, {
        ...options.stop,
        slice: head.slice,
        direction: head.direction,
        end: head.slice === first || head.slice === last,
      });
      head.open = proposal.stop === undefined;
      head.known = proposal;
      yield proposal;
    }
  }
}

interface Found {
  readonly runs: Runs;
  readonly score: number;
  readonly logits: Float32Array;
}

/** Parts below this share of the largest are not asked for: they are crumbs more often than structures. */
const LEAST_PART = 0.1;
const MOST_PARTS = 4;

async function ask(segmenter: MaskSource, picture: RawImage, before: Known, signal: AbortSignal | undefined): Promise<Found> {
  const how = signal ? { signal } : {};
  const three = segmenter.input?.multimask === "ambiguous" && { multimask: true };
  const parts = connectedParts(before.runs, picture.width, true);
  const asked = parts.filter((part) => pixelCount(part) >= LEAST_PART * pixelCount(parts[0] as Runs)).slice(0, MOST_PARTS);
  const embedding = await segmenter.encode(picture, how);
  try {
    let found: Found | undefined;
    for (const part of asked) {
      const prompt = promptOf(part, asked.length === 1 ? before.logits : undefined, embedding.framing, 4 * segmenter.config.grid);
      const answer = await segmenter.decode(embedding, { ...prompt, ...three }, how);
      const one = chosen(answer, part);
      found = found ? both(found, one) : one;
    }
    return found as Found;
  } finally {
    embedding.dispose();
  }
}

/** The box widened by a twentieth of its sides, at least 2 pixels; the pixel farthest from the outline; and the mask as probabilities. */
export function promptOf(runs: Runs, logits: Float32Array | undefined, framing: Framing, side: number): Prompt {
  const { width, height } = framing;
  const [x0, y0, x1, y1] = boundsOf(runs, width) as [number, number, number, number];
  const [padX, padY] = [Math.max(2, (x1 - x0) / 20), Math.max(2, (y1 - y0) / 20)];
  const box = [Math.max(0, x0 - padX), Math.max(0, y0 - padY), Math.min(width, x1 + padX), Math.min(height, y1 + padY)] as const;
  const frame = { left: x0 - 1, top: y0 - 1, width: x1 - x0 + 2, height: y1 - y0 + 2 };
  const depths = signedDistances(runs, width, frame, 1, 1);
  const deepest = depths.reduce((best, depth, i) => (depth > (depths[best] as number) ? i : best), 0);
  const point = { x: frame.left + (deepest % frame.width), y: frame.top + Math.floor(deepest / frame.width), label: 1 as const };
  const maskInput = logits ? probabilities(logits) : maskInputOfRuns(runs, framing, side);
  return { box, points: [point], maskInput };
}

/** Of the candidates the one most like the mask before it, which knows more than the predicted IoU; of equals the likelier. */
function chosen({ masks, scores, logits }: Decoded, before: Runs): Found {
  const candidates = masks.map((mask: Mask, i) => ({ runs: runsOf(mask.data), score: scores[i] as number, i }));
  const worth = ({ runs, score }: (typeof candidates)[number]) => (runs.length === 0 ? -1 : diceOf(runs, before) + 1e-3 * score);
  const best = candidates.reduce((a, b) => (worth(b) > worth(a) ? b : a));
  const length = logits.length / masks.length;
  return { runs: best.runs, score: best.score, logits: logits.slice(best.i * length, (best.i + 1) * length) };
}

function both(a: Found, b: Found): Found {
  return { runs: union(a.runs, b.runs), score: Math.min(a.score, b.score), logits: a.logits.map((logit, i) => Math.max(logit, b.logits[i] as number)) };
}

function diceOf(a: Runs, b: Runs): number {
  const together = pixelCount(a) + pixelCount(b);
  return together === 0 ? 0 : (2 * pixelCount(intersection(a, b))) / together;
}

interface Place extends StopRules {
  readonly slice: number;
  readonly direction: 1 | -1;
  readonly end: boolean;
}

function judged({ runs, score, logits }: Found, before: Known, { slice, direction, end, areaJump = 2, score: least = 0.5, overlap = 0.3 }: Place): Proposal {
  const [was, is] = [pixelCount(before.runs), pixelCount(runs)];
  const shared = is === 0 ? 0 : pixelCount(intersection(runs, before.runs)) / Math.min(was, is);
  const said = `area ${was} to ${is} pixels, predicted IoU ${score.toFixed(2)}`;
  const broken = (
    [
      [is === 0, "empty", "the network finds nothing here"],
      [is > areaJump * was || was > areaJump * is, "area", `the area jumps by more than a factor of ${areaJump}`],
      [score < least, "score", `the predicted IoU is below ${least}`],
      [shared < overlap, "overlap", `less than ${Math.round(100 * overlap)} % of it lies on the mask before`],
    ] as const
  ).find(([yes]) => yes);
  const stop = broken?.[1] ?? (end ? "end" : undefined);
  const reason = broken ? `${said}: ${broken[2]}` : said;
  return { slice, direction, runs, score, logits, sound: !broken, ...(stop && { stop }), reason };
}

function wrong(argument: string, expected: string, got: string, remedy: string): SamError {
  return new SamError({ code: "prompt", op: "propagate", argument, expected, got, remedy });
}
