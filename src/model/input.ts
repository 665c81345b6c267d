// Which of the family's ways of bringing images in a checkpoint was trained with.
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { SamError } from "../errors.ts";
import { type InputName, type InputPreset, INPUTS } from "../image/input.ts";
import type { Config } from "./config.ts";

/** How a model brings images in and masks out, and why so. */
export interface ModelInput extends InputPreset {
  readonly name: InputName;
  /** What told: `as asked for`, `from the file's name`, `from the shapes of its tensors`. */
  readonly from: string;
  /** Where what was asked for is not what such a network was trained with. */
  readonly warning?: string;
}

const MEDSAM = /med-?sam/i;
/** SAM-Med2D, and LiteMedSAM, whose own tensors tell. */
const OTHERS = /sam-?med2d|lite-?_?med-?sam/i;

/**
 * The one asked for, else the one that the file says itself, in its metadata's `input`, or its name or its tensors tell. With `input` the
 * metadata's `multimask` may be `ambiguous`.
 * `label` is the file's name or address, `processor` what `preprocessor_config.json` beside it says.
 */
export function detectInput(config: Config, label: string, asked?: InputName, metadata?: ReadonlyMap<string, string>, processor?: InputName): ModelInput {
  if (asked !== undefined && !Object.hasOwn(INPUTS, asked)) {
    const expected = Object.keys(INPUTS)
      .map((name) => `"${name}"`)
      .join(", ");
    const facts = { argument: "input", expected, got: JSON.stringify(asked) ?? typeof asked, remedy: "Leave it out for what the file tells." };
    throw new SamError({ code: "checkpoint", op: "load", ...facts });
  }
  const said = metadata?.get("input");
  const [usual, ...more] = said !== undefined && Object.hasOwn(INPUTS, said) ? [said as InputName] : usualInputs(config);
  const named = more.find((name) => name === "medsam" && MEDSAM.test(label.replace(OTHERS, "")));
  const beside = [usual, ...more].find((name) => more.length > 0 && name === processor);
  const name = asked ?? named ?? beside ?? usual;
  const from = asked
    ? "as asked for"
    : named
      ? "from the file's name"
      : beside
        ? "from preprocessor_config.json"
        : usual === said
          ? "as the file says"
          : "from the shapes of its tensors";
  const preset = INPUTS[name];
  // The original's long side is fitted at its own size only: at a smaller one its images were stretched as SAM-Med2D's are.
  const fit = name === "sam" && config.family === "vit" && config.imageSize < 1024 ? "resize" : preset.fit;
  const fits = [usual, ...more];
  return {
    name,
    from,
    ...preset,
    fit,
    ...(name === said && metadata?.get("multimask") === "ambiguous" && { multimask: "ambiguous" as const }),
    ...(fits.includes(name) ? {} : { warning: `input ${name} is not what this network was trained with, ${fits.join(" or ")}: its masks may be wrong` }),
  };
}

/** The same of an opened checkpoint; where its tensors leave it open, with what `preprocessor_config.json` beside it says. */
export async function inputOf(config: Config, checkpoint: Checkpoint, asked?: InputName, signal?: AbortSignal): Promise<ModelInput> {
  const open = asked === undefined && checkpoint.openBeside && usualInputs(config).length > 1;
  const processor = open ? await (await import("./preprocessor.ts")).inputBeside(checkpoint, signal) : undefined;
  return detectInput(config, checkpoint.label, asked, checkpoint.metadata, processor);
}

/** What networks of these tensors are trained with, the commonest first. */
function usualInputs(config: Config): [InputName, ...InputName[]] {
  if (config.family === "tiny_vit") return config.patchKernel === 1 ? ["lite-medsam"] : ["sam"];
  return !config.adapters && config.storedGrid * config.patch >= 1024 ? ["sam", "medsam"] : ["sam-med2d"];
}

/** `medsam, from the file's name` */
export function inputText({ name, from }: Pick<ModelInput, "name" | "from">): string {
  return `${name}, ${from}`;
}
