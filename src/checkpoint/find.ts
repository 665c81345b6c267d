// Finds the network among a file's tensors by what they are called at the end: under any wrapper, prefix or split in parts.
import { bad, quoted } from "../bytes/fail.ts";

export interface Found {
  /** Stored name → name in the file's own naming, without what stands before the network: of its modules, then of weights beside those. */
  readonly names: ReadonlyMap<string, string>;
  readonly naming: "reference" | "transformers";
  /** What stands before the names of the network, `model_state.sam`; empty at the top. */
  readonly place: string;
  /** Places of the file's other networks. */
  readonly others: readonly string[];
}

/** Left inside names by DataParallel, torch.compile, FSDP, activation checkpointing, DeepSpeed, peft and modules saved whole. */
const INNER =
  /^(_?module|_orig_mod|_fsdp_wrapped_module|_fpw_module|_flat_param|_checkpoint_wrapped_module|_forward_module|base_layer|_modules|_parameters|_buffers)$/;

/** The modules, by tensors that each of them has once; the first name is the reference's, the others' are met in files. */
const MODULES = {
  image: [/(?:^|\.)(?:patch_embed\.(?:proj|projection|seq\.0\.c)|neck\.(?:0|2|conv1|conv2))\.weight$/, /^(image_encoder|vision_encoder)$/],
  prompt: [/(?:^|\.)(?:not_a_point_embed\.weight|no_mask_embed\.weight|pe_layer\.positional_encoding_gaussian_matrix)$/, /^(prompt_encoder)$/],
  mask: [/(?:^|\.)(?:iou_token|mask_tokens)\.weight$/, /^(mask_decoder)$/],
} as const;

type Module = keyof typeof MODULES;
const ORDER: readonly Module[] = ["image", "prompt", "mask"];
const ROOTS: Readonly<Record<Module, string>> = { image: "image_encoder", prompt: "prompt_encoder", mask: "mask_decoder" };
/** What only transformers' encoder has. */
const TRANSFORMERS = /^(patch_embed\.projection|neck\.conv[12]|neck\.layer_norm[12]|layers\.\d+\.layer_norm[12])\./;
/** Copies that were not meant to be run, and what optimizers keep. */
const SECONDARY = /(^|[._])(ema|teacher|swa|average[d]?|target|momentum|optim\w*|grad\w*|old|backup|exp_avg\w*)($|[._])/i;
/** What a weight that stands beside the modules ends in; counters, losses and states of optimizers do not. */
const WEIGHT = /(^|\.)(weight|bias|positional_embedding|\w*lora\w*|w_[ab]_\d+|\w*adapter\w*)$/i;
/** Of those that change the weights wherever in the file they stand. */
const LORA = /(^|\.)(\w*lora_?\w*|w_[ab]_\d+)(\.|$)/i;
const TRAINING = /(^|[._])(optim\w*|sched\w*|scaler|ema|teacher|swa|loss\w*|criterion|discriminator|metric\w*|grad\w*|queue|exp_avg\w*)($|[._])/i;

interface Candidate {
  /** With the dot behind it; `undefined` where the file has no such module. */
  readonly prefixes: Readonly<Record<Module, string | undefined>>;
  readonly place: string;
  readonly complete: boolean;
  readonly count: number;
}

/** Undefined where nothing of the network is there. @throws SamError two tensors become one. */
export function findNetwork(label: string, stored: Iterable<string>): Found | undefined {
  const bare = new Map<string, string>();
  for (const name of stored) bare.set(name, bareName(name));
  const names = [...bare.values()];
  const [best, ...rest] = candidates(names);
  if (!best) return undefined;
  const { image } = best.prefixes;
  const naming = names.some((name) => image !== undefined && name.startsWith(image) && TRANSFORMERS.test(name.slice(image.length)))
    ? "transformers"
    : "reference";
  const found = new Map<string, string>();
  const from = new Map<string, string>();
  for (const [raw, name] of bare) {
    const others = isOf(rest, name) && !isOf([best], name);
    const own = others ? undefined : (ownName(name, best, naming) ?? (LORA.test(name) && !TRAINING.test(name) ? name : undefined));
    if (own === undefined) continue;
    const other = from.get(own);
    if (other !== undefined) throw bad(label, "one tensor of each name", `${quoted(other)} and ${quoted(raw)}`, "Keep one of the two copies.");
    from.set(own, raw);
    found.set(raw, own);
  }
  // Of a file without a whole network, all names tell what it is instead.
  if (!best.complete) for (const [raw, name] of bare) if (!found.has(raw) && !from.has(name)) found.set(raw, name);
  const places = new Set(rest.filter(({ complete }) => complete).map(({ place }) => place));
  places.delete(best.place);
  return { names: found, naming, place: best.place.replace(/\.$/, ""), others: [...places].map((place) => place.replace(/\.$/, "")) };
}

/** Whether a tensor belongs to another network of the file. */
function isOf(networks: readonly Candidate[], name: string): boolean {
  return networks.some(({ prefixes }) => ORDER.some((module) => prefixes[module] !== undefined && name.startsWith(prefixes[module])));
}

function bareName(name: string): string {
  return name
    .split(".")
    .filter((part) => !INNER.test(part))
    .join(".");
}

/** The best first: complete, meant to be run, called as the reference calls it, large, early in the file. */
function candidates(names: readonly string[]): Candidate[] {
  const prefixes = Object.fromEntries(ORDER.map((module) => [module, prefixesOf(names, module)])) as Record<Module, string[]>;
  const lead = ORDER.map((module) => module).find((module) => module !== "prompt" && prefixes[module].length > 0) ?? "prompt";
  const all = prefixes[lead].map((first): Candidate => {
    const chosen = Object.fromEntries(ORDER.map((module) => [module, module === lead ? first : nearest(prefixes[module], first)]));
    const own = chosen as Candidate["prefixes"];
    const there = ORDER.flatMap((module) => (own[module] === undefined ? [] : [own[module]]));
    const place = there.map(parent).reduce(common);
    return {
      prefixes: own,
      place,
      complete: there.length === ORDER.length,
      count: names.filter((name) => there.some((prefix) => name.startsWith(prefix))).length,
    };
  });
  const named = ({ prefixes: { image = "" } }: Candidate) => MODULES.image[1].test(lastPart(image));
  const rank = (candidate: Candidate) => [!candidate.complete, SECONDARY.test(candidate.place + lastPart(candidate.prefixes[lead] ?? "")), !named(candidate)];
  return all
    .map((candidate, order) => ({ candidate, keys: [...rank(candidate).map(Number), -candidate.count, order] }))
    .sort((a, b) => a.keys.map((key, i) => key - (b.keys[i] as number)).find((difference) => difference !== 0) ?? 0)
    .map(({ candidate }) => candidate);
}

/** What stands before the module's tensors: by their ends, or where those are missing by the module's name. */
function prefixesOf(names: readonly string[], module: Module): string[] {
  const [end, root] = MODULES[module];
  const byEnd = names.flatMap((name) => {
    const match = end.exec(name);
    return match ? [name.slice(0, match.index === 0 && !match[0].startsWith(".") ? 0 : match.index + 1)] : [];
  });
  if (byEnd.length > 0) return [...new Set(byEnd)];
  const byRoot = names.flatMap((name) => {
    const parts = name.split(".");
    const at = Math.max(...parts.slice(0, -1).map((part, i) => (root.test(part) ? i : -1)));
    return !(at >= 0) ? [] : [`${parts.slice(0, at + 1).join(".")}.`];
  });
  return [...new Set(byRoot)];
}

function nearest(prefixes: readonly string[], to: string): string | undefined {
  let best: string | undefined;
  for (const prefix of prefixes) if (best === undefined || common(prefix, to).length > common(best, to).length) best = prefix;
  return best;
}

/** The whole parts that both begin with, with the dot. */
function common(a: string, b: string): string {
  const [left, right] = [a.split("."), b.split(".")];
  let same = 0;
  while (same < Math.min(left.length, right.length) - 1 && left[same] === right[same]) same++;
  return left
    .slice(0, same)
    .map((part) => `${part}.`)
    .join("");
}

/** `sam.image_encoder.` → `sam.` */
function parent(prefix: string): string {
  return prefix.replace(/[^.]*\.$/, "");
}

function lastPart(prefix: string): string {
  return /([^.]*)\.$/.exec(prefix)?.[1] ?? "";
}

function ownName(name: string, { prefixes, place }: Candidate, naming: Found["naming"]): string | undefined {
  const inside = ORDER.filter((module) => prefixes[module] !== undefined && name.startsWith(prefixes[module]));
  // A module's prefix may begin with another's: the longer one is meant.
  const [module] = inside.sort((a, b) => (prefixes[b] as string).length - (prefixes[a] as string).length);
  if (module) {
    const root = module === "image" && naming === "transformers" ? "vision_encoder" : ROOTS[module];
    return `${root}.${name.slice((prefixes[module] as string).length)}`;
  }
  const beside = name.startsWith(place) ? name.slice(place.length) : "";
  return beside !== "" && WEIGHT.test(beside) && !TRAINING.test(beside) ? beside : undefined;
}
