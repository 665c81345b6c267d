// Tensors of a file that change the answer and have no place in the network: told, so that nobody takes the base model's masks for theirs.
import { bad, quoted } from "../bytes/fail.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Counters, tables the code makes itself, and TinyViT's head for classes: without them the answer is the same. */
const HARMLESS = /(^|\.)(num_batches_tracked|relative_position_index|attention_bias_idxs|ab|pixel_mean|pixel_std)$|^image_encoder\.(norm_head|head)\./;

/** What tools that make weights whole numbers keep beside them, elsewhere than here. */
export const QUANTISED = /[._](scales?|zeros?|zero_?points?|qweight|g_idx|absmax|quant_map|quant_state\S*|scb|weight_format|(weight|input|output)_scale\w*)$/i;
export const PLAIN = "Save it with plain weights where it was made, and make them small here (convert --dtype int8).";

/** What layers are called by whoever adds them. */
const KINDS: readonly (readonly [name: RegExp, kind: string, remedy: string])[] = [
  [QUANTISED, "scales of weights that another tool made whole numbers", PLAIN],
  [/lora|linear_[ab]_|(^|\.)w_[ab]_\d/i, "LoRA layers", "Merge them into the weights before saving (merge_and_unload in peft, or weight + scale · B · A)."],
  [
    /hf_token|hf_mlp|hq_token|hq_mask|compress_vit_feat|embedding_encoder|embedding_maskfeature|mask_conv|maskfeature/i,
    "the layers of HQ-SAM",
    "The masks are those of SAM without them.",
  ],
  [
    /adapter|prompt_generator|Space_|MLP_|Depth_|parallel_conv|_tuning|prefix|prompt_embed/i,
    "adapters of another project",
    "Only the adapters of SAM-Med2D are run: use that project's own code, or a checkpoint without them.",
  ],
  [/memory_|obj_ptr|maskmem|no_mem/i, "the memory of SAM 2", "Use a checkpoint of SAM."],
];
const OTHER = ["layers that this network does not have", "Use the code that the file was trained with, or a checkpoint without them."] as const;

/** Of weights that were made whole numbers and lack their scales: a sentence, where there are any. */
export function wholeWords({ tensors }: Checkpoint): string | undefined {
  const whole = [...tensors.values()].filter(({ shape, stored = "" }) => shape.length > 1 && ["I8", "U8", "BOOL"].includes(stored));
  return whole[0] && `${whole.length} of its weights are whole numbers without scales (${quoted(whole[0].name)}): masks of them mean nothing. ${PLAIN}`;
}

/** Of the names that `compareTensors` calls unknown. `left` tells what the caller left out on purpose. */
export function unreadTensors({ refused }: Checkpoint, unknown: readonly string[], left: (name: string) => boolean = () => false): string[] {
  return [...unknown, ...(refused?.keys() ?? [])].filter((name) => !HARMLESS.test(name) && !left(name));
}

/** One sentence, and what to do. */
export function unreadWords(names: readonly string[]): { what: string; remedy: string } {
  const [, kind, remedy] = KINDS.find(([pattern]) => names.some((name) => pattern.test(name))) ?? [undefined, ...OTHER];
  const shown = names.slice(0, 3).map(quoted).join(", ");
  const list = names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
  const tensors = names.length === 1 ? "1 tensor that changes" : `${names.length} tensors that change`;
  return { what: `${tensors} the answer and ${names.length === 1 ? "is" : "are"} not read (${kind}: ${list})`, remedy };
}

export function unreadError(label: string, names: readonly string[]): Error {
  const { what, remedy } = unreadWords(names);
  return bad(label, "only tensors that are read", what, remedy);
}

/** An error where the caller is strict, else one notice; nothing where all that matters is read. `left`: see `unreadTensors`. */
export function tellUnread(
  checkpoint: Checkpoint,
  unknown: readonly string[],
  how: { readonly left: (name: string) => boolean; readonly strict: boolean | undefined; readonly onNotice: (words: string) => void },
): void {
  const unread = unreadTensors(checkpoint, unknown, how.left);
  const whole = wholeWords(checkpoint);
  if (whole) how.onNotice(whole);
  if (unread.length === 0) return;
  if (how.strict) throw unreadError(checkpoint.label, unread);
  const { what, remedy } = unreadWords(unread);
  how.onNotice(`The file has ${what}. ${remedy}`);
}
