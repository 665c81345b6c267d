// A checkpoint under the reference's names, whatever stands around the network in the file and whose names it has.
import { bad, quoted } from "../bytes/fail.ts";
import { type Checkpoint, readF32, type StoredTensor } from "./checkpoint.ts";
import { type Found, findNetwork } from "./find.ts";
import { referenceName, transformersName } from "./transformers.ts";

export { findNetwork };

/** Wrappers that every training script leaves: not worth a word. */
const USUAL = /^((model|state_dict|model_state_dict)(\.|$))*$/;

/** Undefined where the file has nothing of the network. @throws SamError two tensors become one, copies of one differ. */
export async function networkOf(checkpoint: Checkpoint, onNotice?: (words: string) => void): Promise<Checkpoint | undefined> {
  const { label } = checkpoint;
  const found = findNetwork(label, [...checkpoint.tensors.keys(), ...(checkpoint.refused?.keys() ?? [])]);
  if (!found) return undefined;
  const stored = new Map<string, string>();
  const tensors = new Map<string, StoredTensor>();
  const refused = new Map<string, string>();
  const transformers = found.naming === "transformers";
  for (const [raw, own] of found.names) {
    const name = transformers ? (referenceName(own) ?? own) : own;
    // In a file of transformers' names the reference's stand for nothing: one that mixes both lacks tensors.
    const mixed = transformers && name === own && transformersName(own) !== undefined && transformersName(own) !== own;
    const tensor = checkpoint.tensors.get(raw);
    const before = stored.get(name);
    if (mixed) refused.set(name, "by the reference's name");
    else if (before !== undefined) await expectEqual(checkpoint, before, raw);
    else if (tensor) {
      stored.set(name, raw);
      tensors.set(name, { ...tensor, name });
    } else refused.set(name, checkpoint.refused?.get(raw) ?? "");
  }
  told({ place: found.place, others: [...found.others, ...(checkpoint.elsewhere ?? [])] }, onNotice);
  const at = (name: string) => stored.get(name) ?? name;
  const { readStored } = checkpoint;
  return {
    ...checkpoint,
    tensors,
    refused,
    place: found.place,
    naming: found.naming,
    ...(transformers && { nameInFile: (name: string) => transformersName(name) ?? name }),
    read: (name, begin, end, signal) => checkpoint.read(at(name), begin, end, signal),
    ...(readStored && { readStored: (name, begin, end, signal) => readStored(at(name), begin, end, signal) }),
    close: () => checkpoint.close(),
  };
}

/** The positional matrix is saved in two places by transformers. */
async function expectEqual(checkpoint: Checkpoint, a: string, b: string): Promise<void> {
  const [first, second] = await Promise.all([a, b].map(async (name) => (checkpoint.tensors.has(name) ? readF32(checkpoint, name) : new Float32Array())));
  if (first && second && first.length === second.length && first.every((value, i) => Object.is(value, second[i]))) return;
  throw bad(checkpoint.label, "equal copies of one tensor", `${quoted(a)} and ${quoted(b)} that differ`, "Keep the copy that the model was trained with.");
}

function told({ place, others }: Pick<Found, "place" | "others">, onNotice: ((words: string) => void) | undefined): void {
  if (others.length > 0) onNotice?.(`The file holds ${others.length + 1} networks: ${nameOf(place)} is used, not ${others.map(nameOf).join(", ")}.`);
  else if (!USUAL.test(place)) onNotice?.(`The network was found under ${nameOf(place)}.`);
}

function nameOf(place: string): string {
  return place === "" ? "the one at the top" : quoted(place);
}

/** Of a file without the network: what `{"model": …}` and DataParallel put before every name. */
const WRAPPER = /^(?:(?:module|model|state_dict|model_state_dict|_orig_mod)\.)+/;

/** Of a file without the network: its tensors without what wrappers put before every name. @throws SamError two tensors become one. */
export function unwrapped(checkpoint: Checkpoint): Checkpoint {
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
