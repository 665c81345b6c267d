// Tensor names as the reference network has them, whatever wrapper the training script left around them.
import { formatShape } from "../errors.ts";
import type { Shape } from "../graph/tensor.ts";
import type { Checkpoint, StoredTensor } from "./checkpoint.ts";
import { bad, quoted } from "../bytes/fail.ts";

/** Names that need no finding: the reference's own, without what wrappers leave in them. */
const PLAIN = /^(image_encoder\.(patch_embed|pos_embed|blocks|layers|neck)|prompt_encoder|mask_decoder)\b/;
const WRAPPED = /module|_orig_mod|(^|\.)_/;

/** Of a file without the network: what `{"model": …}` and DataParallel put before every name. */
const WRAPPER = /^(?:(?:module|model|state_dict|model_state_dict|_orig_mod)\.)+/;

/** The same checkpoint under the reference's names, all number types among its tensors. @throws SamError two tensors become one. */
export async function canonical(stored: Checkpoint, onNotice?: (words: string) => void): Promise<Checkpoint> {
  const checkpoint = stored.others?.size ? (await import("./widen.ts")).widened(stored) : stored;
  const names = [...checkpoint.tensors.keys()];
  if (names.every((name) => PLAIN.test(name) && !WRAPPED.test(name))) return checkpoint;
  const network = await (await import("./found.ts")).networkOf(checkpoint, onNotice);
  return network ?? unwrapped(checkpoint);
}

function unwrapped(checkpoint: Checkpoint): Checkpoint {
  const stored = new Map<string, string>();
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of checkpoint.tensors.values()) {
    const name = tensor.name.replace(WRAPPER, "");
    const other = stored.get(name);
    if (other !== undefined)
      throw bad(checkpoint.label, "one tensor of each name", `${quoted(other)} and ${quoted(tensor.name)}`, "Keep one of the two copies.");
    stored.set(name, tensor.name);
    tensors.set(name, { ...tensor, name });
  }
  const { refused, readStored } = checkpoint;
  const at = (name: string) => stored.get(name) ?? name;
  return {
    ...checkpoint,
    ...(refused && { refused: new Map([...refused].map(([name, what]) => [name.replace(WRAPPER, ""), what])) }),
    tensors,
    read: (name, begin, end, signal) => checkpoint.read(at(name), begin, end, signal),
    ...(readStored && { readStored: (name, begin, end, signal) => readStored(at(name), begin, end, signal) }),
    close: () => checkpoint.close(),
  };
}

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: Shape;
}

export interface TensorReport {
  readonly missing: readonly ExpectedTensor[];
  readonly misshaped: readonly { readonly name: string; readonly expected: Shape; readonly got: Shape }[];
  readonly unknown: readonly string[];
}

export function compareTensors(checkpoint: Checkpoint, expected: Iterable<ExpectedTensor>): TensorReport {
  const missing: ExpectedTensor[] = [];
  const misshaped: { name: string; expected: Shape; got: Shape }[] = [];
  const known = new Set<string>();
  for (const wanted of expected) {
    known.add(wanted.name);
    const got = checkpoint.tensors.get(wanted.name)?.shape;
    if (!got) missing.push(wanted);
    else if (formatShape(got) !== formatShape(wanted.shape)) misshaped.push({ name: wanted.name, expected: wanted.shape, got });
  }
  return { missing, misshaped, unknown: [...checkpoint.tensors.keys()].filter((name) => !known.has(name)) };
}

/** Throws one error that names everything that does not fit. Unknown tensors are no fault unless `allowUnknown` is false. */
export function checkTensors(
  checkpoint: Checkpoint,
  expected: Iterable<ExpectedTensor>,
  { allowUnknown = true }: { allowUnknown?: boolean } = {},
): TensorReport {
  const wanted = [...expected];
  const report = compareTensors(checkpoint, wanted);
  const faults = [
    ...listed(
      "missing",
      report.missing.map(({ name }) => (checkpoint.refused?.has(name) ? `${name} (there ${checkpoint.refused.get(name)})` : name + inFile(checkpoint, name))),
    ),
    ...listed(
      "wrong shape",
      report.misshaped.map(({ name, expected, got }) => `${name} expected ${formatShape(expected)} got ${formatShape(got)}`),
    ),
    ...(allowUnknown ? [] : listed("unknown", report.unknown.map(quoted))),
  ];
  if (faults.length === 0) return report;
  throw bad(
    checkpoint.label,
    `the ${wanted.length} tensors of this network`,
    `${checkpoint.tensors.size} tensors; ${faults.join("; ")}`,
    report.missing.length === wanted.length ? "This is a checkpoint of another network." : "The file may be of another configuration, or incomplete.",
  );
}

function inFile({ nameInFile }: Checkpoint, name: string): string {
  const own = nameInFile?.(name) ?? name;
  return own === name ? "" : ` (${own} in transformers)`;
}

/** The first 20 and a count: a wrong file misses hundreds. */
function listed(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [`${items.length} ${title}: ${items.slice(0, 20).join(", ")}${items.length > 20 ? ` and ${items.length - 20} more` : ""}`];
}
