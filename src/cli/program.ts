// The command line: options, their values, and the exit code.
import { Command, CommanderError, Option } from "commander";
import { version } from "../../package.json";
import { INPUTS } from "../image/input.ts";
import type { Point } from "../index.ts";
import type { BenchCommandOptions } from "./bench.ts";
import { StartAgain } from "./dawn.ts";
import type { ConvertCommandOptions } from "./convert.ts";
import type { Environment } from "./environment.ts";
import type { InfoOptions } from "./info.ts";
import type { RenderOptions } from "./render.ts";
import type { InspectOptions } from "./inspect.ts";
import type { ConvertMaskOptions, MeasureOptions } from "./labels.ts";
import type { DatasetCommandOptions } from "./dataset.ts";
import type { EvaluateOptions, ReportOptions } from "./evaluate.ts";
import {
  parseBox,
  parsePlanes,
  parsePoint,
  parsePosition,
  parsePrecisions,
  parsePrompts,
  parseSeed,
  parseShard,
  parseSize,
  parseSlice,
  positive,
  parseRange,
  share,
  whole,
} from "./parse.ts";
import { type SegmentOptions, segment } from "./segment.ts";
import { printable } from "./printable.ts";
import { CommandError, EXIT, exitCodeOf, messageOf, reasonOf, UsageError } from "./usage.ts";
import { checkWeights } from "./weights.ts";

/** Runs one command line (without node and script name) and gives its exit code; never throws but for `StartAgain`. */
export async function run(args: readonly string[], { stdout, ...given }: Environment): Promise<number> {
  const environment: Environment = { ...given, stdout: { write: (text) => stdout.write(printable(text)) } };
  const failed = (error: unknown) => {
    environment.stderr.write(printable(`sam-med2d: ${messageOf(error, environment.debug)}\n`));
    return exitCodeOf(error);
  };
  let code: number;
  try {
    await program(environment).parseAsync(args, { from: "user" });
    code = EXIT.done;
  } catch (error) {
    if (error instanceof StartAgain) throw error;
    code = error instanceof CommanderError ? (error.exitCode === 0 ? EXIT.done : EXIT.usage) : failed(error);
  }
  try {
    await stdout.flush?.();
  } catch (error) {
    const lost = failed(new CommandError(`cannot write to standard output: ${reasonOf(error)}`, { cause: error }));
    return code === EXIT.done ? lost : code;
  }
  return code;
}

export function program(environment: Environment): Command {
  const root = new Command("sam-med2d")
    .description("Interactive segmentation of medical images with SAM-Med2D, on WebGPU. Not for clinical use.")
    .version(version)
    .exitOverride()
    // What follows a command is for that command: evaluate and its merge have options of the same names.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => environment.stdout.write(text),
      writeErr: (text) => environment.stderr.write(printable(text)),
      outputError: (text, write) => write(text.replace(/^error: /, "sam-med2d: ")),
    })
    .showHelpAfterError("(add --help for the options)")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted. DEBUG=1 in the environment adds the stack to an error.");
  segmentCommand(root, environment);
  infoCommand(root, environment);
  labelCommands(root, environment);
  renderCommand(root, environment);
  inspectCommand(root, environment);
  evaluateCommand(root, environment);
  convertCommands(root, environment);
  benchCommand(root, environment);
  return root;
}

const WEIGHTS =
  "checkpoint file or its address, hf:owner/name[@revision][/file], or synthetic:SEED (its masks mean nothing); default: the small model that comes with the package";

/** Each of these is one thing: a second one would silently replace the first. */
function once<T>(name: string, parse: (text: string) => T): (text: string, before: T | undefined) => T {
  return (text, before) => {
    if (before !== undefined) throw new UsageError(`${name} can be given once`);
    return parse(text);
  };
}

const adapterOption = () => new Option("--adapter <on|off>", "use the adapter layers of the checkpoint; default on where it has them").choices(["on", "off"]);

export const precisionOption = () =>
  new Option("--precision <type>", "of the encoder's matrices on the GPU; default as the file has them, f32 on a software adapter").choices([
    "f32",
    "f16",
    "int8",
  ]);

const strictOption = () => new Option("--strict", "refuse weights with tensors that change the answer and are not read (LoRA, other adapters)");
function inputOption(): Option {
  return new Option("--input <preset>", "whose way of bringing images in and masks out; default what the file's name or its tensors tell").choices(
    Object.keys(INPUTS),
  );
}

function segmentCommand(root: Command, environment: Environment): void {
  root
    .command("segment")
    .description("Segment one image, or one slice of a series or volume. Coordinates are pixels of the image as shown upright, x to the right, y down.")
    .argument("<image>", "PNG or JPEG file; or DICOM, NIfTI, NRRD, MetaImage or TIFF, a file or the folder of a series")
    .option("--weights <weights>", WEIGHTS, once("--weights", checkWeights))
    .addOption(
      new Option("--point <x,y,label>", "a point; label 1 inside (default), 0 outside, -1 no point; can be repeated")
        .argParser((text, points: Point[]) => [...points, parsePoint(text)])
        .default([], "none"),
    )
    .addOption(sliceOption())
    .addOption(positionOption())
    .addOption(planeOption())
    .addOption(volumeOption())
    .addOption(windowOption())
    .option("--box <x0,y0,x1,y1>", "a box around the structure, x1 and y1 exclusive", once("--box", parseBox))
    .option("--mask-input <file.npy>", "[64, 64] probabilities of an earlier mask, in model space")
    .option("--single", "one mask instead of the best of three")
    .addOption(
      new Option("--three", "the best of three masks, also where the model gives one by itself, as the default model does for a box").conflicts("single"),
    )
    .addOption(adapterOption())
    .addOption(precisionOption())
    .addOption(strictOption())
    .addOption(inputOption())
    .addOption(
      new Option("--channel-order <order>", "colour seen by the network's channel 0; default bgr, as SAM-Med2D was trained, rgb for all others").choices([
        "bgr",
        "rgb",
      ]),
    )
    .addOption(
      new Option(
        "--fit <fit>",
        "resize: stretch to the network's square; pad: centre smaller images on zeros, as in evaluation; long-side: keep the aspect; default as the network was trained",
      ).choices(["resize", "pad", "long-side"]),
    )
    .option("--partial", "use what could be read of a damaged image")
    .option(
      "--out <file>",
      "mask.png, 8-bit gray, 255 inside and 0 outside, default IMAGE.mask.png beside the image; or labels on the volume: .nii.gz, .seg.nrrd or .dcm (DICOM SEG)",
    )
    .option(
      "--propagate <a:b>",
      "of a volume: from the slice to its neighbours, slices a to b of the plane; needs --out for labels",
      once("--propagate", parseRange),
    )
    .option("--prompts <file.json>", "of a volume: prompts on its slices as the page saves them, a label each, into the labels of --out")
    .option("--label <name>", "what it is, in files of labels; default structure")
    .option("--everything", "masks for all that can be seen instead of a prompt's, numbered from the largest in --out")
    .option("--grid <n>", "with --everything: points a side; default 32", once("--grid", positive("--grid", true)))
    .option("--min-score <iou>", "with --everything: least predicted IoU; default 0.88", once("--min-score", share("--min-score")))
    .option("--min-stability <share>", "with --everything: least stability; default 0.95", once("--min-stability", share("--min-stability")))
    .option("--crops <layers>", "with --everything: 1 looks at 4 enlarged crops too, 2 at 20; default 0", once("--crops", whole("--crops")))
    .option("--min-region <pixels>", "with --everything: smaller islands and holes are removed; default 0", once("--min-region", whole("--min-region")))
    .option("--force", "overwrite IMAGE.mask.png, and slices numbered after --out, also where this command did not make them")
    .option("--overlay <file.png>", "image with mask, contour and prompt")
    .option("--json <file|->", "scores, best, area, bbox, times; - for standard output, with nothing else on it")
    .option("--save-embedding <file.npy>", "image embedding, float32 [1, 256, 16, 16]")
    .option("--save-logits <file.npy>", "low-resolution logits of every candidate, float32 [3, 64, 64]")
    .action((image: string, options: SegmentOptions) => segment(image, options, environment));
}

const sliceOption = () => new Option("--slice <k>", "of a volume, from 0, in the order of the plane").argParser(parseSlice);
const positionOption = () => new Option("--position <mm>", "of a volume: the slice nearest to this place along its patient axis").argParser(parsePosition);
const planeOption = () => new Option("--plane <plane>", "of a volume; default as it is stored").choices(["axial", "coronal", "sagittal"]);
const volumeOption = () => new Option("--volume <n>", "where there are several, from 1, in the order of info").argParser(positive("--volume", true));
const windowOption = () =>
  new Option("--window <window>", "center,width, a name that info gives or a preset, auto, or minmax; default the file's own, else auto");

function renderCommand(root: Command, environment: Environment): void {
  root
    .command("render")
    .description("Write a slice of a series or volume as the 8-bit picture that the network sees.")
    .argument("<path>", "DICOM, NIfTI, NRRD, MetaImage, TIFF or PNG, a file, the folder of a series, or its DICOMweb address")
    .addOption(sliceOption())
    .addOption(positionOption())
    .addOption(planeOption())
    .addOption(volumeOption())
    .addOption(windowOption())
    .requiredOption("--out <file.png>", "8-bit gray, or RGB of colours")
    .action(async (path: string, options: RenderOptions) => {
      const { renderSlice } = await import("./render.ts");
      await renderSlice(path, options, environment);
    });
}

function infoCommand(root: Command, environment: Environment): void {
  root
    .command("info")
    .description(
      "Say what files of images and labels hold: series and volumes, sizes, windows, segments, and what is wrong with them. Shows no patient's name.",
    )
    .argument("<paths...>", "DICOM, NIfTI, NRRD, MetaImage, TIFF, PNG and JPEG files, folders or archives of them, or DICOMweb addresses (…/studies/UID)")
    .option("--json <file|->", "everything found; - for standard output, with nothing else on it")
    .option("--values", "read every slice: minimum, maximum, mean and hash of the values")
    .action(async (paths: string[], options: InfoOptions) => {
      const { info } = await import("./info.ts");
      await info(paths, options, environment);
    });
}

const resampleOption = () => new Option("--resample", "labels of another grid: each voxel of the volume takes the nearest one's");

function labelCommands(root: Command, environment: Environment): void {
  root
    .command("measure")
    .description("Areas, volumes, diameters and values of what is drawn on a volume, in mm and the volume's units, as CSV.")
    .argument("<volume>", "file or folder of one volume")
    .requiredOption("--labels <file>", "labels on the volume, in any format that convert-mask reads")
    .option("--csv <file|->", "where to write; standard output when left out")
    .addOption(resampleOption())
    .action(async (volume: string, options: MeasureOptions) => {
      const { measureCommand } = await import("./labels.ts");
      await measureCommand(volume, options, environment);
    });
  datasetRules(root.command("dataset"))
    .description(
      "Make the folder that SAM-Med2D is trained and evaluated on of a volume and its labels: slices along each axis as 8-bit pictures, and their masks.",
    )
    .argument("<volume>", "file or folder of one volume")
    .requiredOption("--labels <file>", "labels on the volume, in any format that convert-mask reads")
    .requiredOption("--out <folder>", "a new folder")
    .action(async (volume: string, options: DatasetCommandOptions) => {
      const { datasetCommand } = await import("./dataset.ts");
      await datasetCommand(volume, options, environment);
    });
  root
    .command("convert-mask")
    .description("Write a file of labels in another format, by the ending of its name.")
    .argument(
      "<in>",
      "NIfTI, NRRD or MetaImage of label values, Slicer's or a DICOM segmentation, COCO, label pictures (a file, or a folder of slices), a dataset folder",
    )
    .argument(
      "<out>",
      "file that ends in .nii.gz, .seg.nrrd, .dcm, .json (COCO) or .png (one a slice, numbered, where there are several), or a folder with --format",
    )
    .option("--on <volume>", "the volume the labels were drawn on; a DICOM segmentation is written on it")
    .addOption(resampleOption())
    .addOption(
      new Option("--format <format>", "of a folder: label pictures, or a SAM-Med2D dataset of the slices as they are stored").choices(["png", "dataset"]),
    )
    .option("--gray", "PNG of gray values instead of a palette")
    .addOption(
      new Option("--overlaps <how>", "labels that overlap, in NIfTI and PNG: refuse, the default, or a file for each label").choices(["refuse", "file-each"]),
    )
    .action(async (from: string, to: string, options: ConvertMaskOptions) => {
      const { convertMask } = await import("./labels.ts");
      await convertMask(from, to, options, environment);
    });
}

/** The paper's rules, each an option. */
function datasetRules(command: Command): Command {
  const share = (name: string) => (text: string) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!(value >= 0 && value <= 1)) throw new UsageError(`${name} must be a share from 0 to 1; got ${text}`);
    return value;
  };
  return command
    .option("--planes <list>", "of sagittal, coronal, axial and stored, with commas; default the first three", parsePlanes)
    .option("--window <window>", "as in segment; default minmax, the whole volume's range to 8 bits")
    .option("--min-area <share>", "of the slice, below which a mask is left out; default 0.00153", share("--min-area"))
    .option("--min-aspect <share>", "short side over long side, below which a slice is left out; default 0.5", share("--min-aspect"))
    .option("--parts", "a mask for each connected part instead of one for each label")
    .option("--modality <name>", "in the names of files; default the volume's")
    .option("--dataset-name <name>", "in the names of files; default volume")
    .option("--case <name>", "in the names of files; default the volume's name")
    .addOption(resampleOption());
}

function inspectCommand(root: Command, environment: Environment): void {
  root
    .command("inspect")
    .description("Say what a checkpoint is: network, tensors, bytes, missing and unknown names.")
    .argument("<weights>", "checkpoint file, or synthetic:SEED", checkWeights)
    .option("--tensors", "list every tensor")
    .option("--graph", "print what encode and a decode of one point run on a GPU: stage, op, shapes, FLOP, bytes, buffer; needs no GPU")
    .option("--json", "print JSON")
    .addOption(strictOption())
    .action(async (weights: string, options: InspectOptions) => {
      const { inspect } = await import("./inspect.ts");
      await inspect(weights, options, environment);
    });
}

function evaluateCommand(root: Command, environment: Environment): void {
  const command = datasetRules(root.command("evaluate"))
    .description("Run the published evaluation on a dataset: label2image_test.json, {mask path: image path}, paths from its folder or that folder's parent.")
    .argument("<dataset>", "folder with label2image_test.json, or such a file; with --labels a volume")
    .option("--labels <file>", "labels on the volume: evaluates its slices as the dataset command would write them, without the folder")
    .option("--weights <weights>", WEIGHTS, once("--weights", checkWeights))
    .addOption(new Option("--prompts <list>", "box, 1, 3, 5 (points), several with commas, or all").argParser(parsePrompts).default(parsePrompts("all"), "all"))
    .option("--seed <n>", "of the drawn points", parseSeed, 0)
    .addOption(adapterOption())
    .addOption(precisionOption())
    .addOption(strictOption())
    .addOption(inputOption())
    .addOption(new Option("--channel-order <order>", "colour seen by the network's channel 0; default as the network was trained").choices(["bgr", "rgb"]))
    .option("--prompt-file <file.json>", "first box and point of each mask, in the reference's format, instead of drawn ones")
    .option("--save-prompts <file.json>", "write the first box and point of each mask in that format")
    .option("--save-masks <folder>", "write every mask as PNG")
    .option("--baselines", "also the Dice of the prompts alone: the ellipse in the box, and a disc around the point")
    .addOption(
      new Option("--shard <i/n>", "only part i of n, from 1; auto or auto/n takes i from SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX")
        .argParser((text) => parseShard(text, process.env))
        .default({ index: 0, count: 1 }, "all of it"),
    )
    .addHelpText(
      "after",
      "\nWith --json FILE the run can be resumed: FILE.journal keeps what is done until the end. Exit code 1 where files could not be used.",
    );
  reportOptions(command).action(async (dataset: string, options: EvaluateOptions) => {
    const { evaluate } = await import("./evaluate.ts");
    await evaluate(dataset, options, environment);
  });
  const merge = command.command("merge").description("Join the JSON results of all shards.").argument("<results...>", "JSON files written with --shard");
  reportOptions(merge).action(async (files: string[], options: ReportOptions) => {
    const { mergeResults } = await import("./evaluate.ts");
    await mergeResults(files, options, environment);
  });
}

function benchCommand(root: Command, environment: Environment): void {
  root
    .command("bench")
    .description("Check every kernel, then time them: end to end and one by one, against this device's own measured peaks.")
    .option("--weights <weights>", "checkpoint file; default: weights by formula, whose answer is known", once("--weights", checkWeights))
    .option(
      "--config <name>",
      "network of the default weights: vit_b, small for slow devices, or a member of the family: tiny_vit, lite_medsam, slimsam, slimsam_50, sam_b, sam_l, sam_h",
      "vit_b",
    )
    .option("--runs <n>", "of each measurement", positive("--runs", true), 20)
    .option("--precision <list>", "f32, f16, int8 or several with commas: measured one after another, shown side by side", parsePrecisions, ["f32"] as const)
    .option("--json <file|->", "everything measured; - for standard output, with nothing else on it")
    .option("--csv <file.csv>", "one row a dispatch")
    .option("--compare <file.json>", "an earlier --json, to say what changed beyond the noise")
    .option("--count", "only count dispatches, FLOP and bytes; needs no GPU")
    .option("--device <name>", "with --count: the modelled time of each dispatch on h100, h200, m2, igpu or a device described in a JSON file")
    .option("--gflops <n>", "with --gbs: print the floor on a device of this speed", positive("--gflops"))
    .option("--gbs <n>", "memory bandwidth of that device, GB/s", positive("--gbs"))
    .option("--tuning <file.json>", "kernels to use, as an earlier --json or a file of its tuner's choices names them, in place of timing them")
    .option("--peer <command>", "another implementation, timed in turns with this one: bench/pytorch_bench.py says how it is asked")
    .option("--wall", "the wall clock, also where the device has timestamps")
    .action(async (options: BenchCommandOptions) => {
      const { bench } = await import("./bench.ts");
      await bench(options, environment);
    });
}

function reportOptions(command: Command): Command {
  return command
    .option("--json <file|->", "Dice and IoU, overall and by modality, structure and dataset, and of every mask; - for standard output")
    .option("--csv <file.csv>", "one row a mask")
    .option("--html <file.html>", "charts and cases, one file");
}

function convertCommands(root: Command, environment: Environment): void {
  const add = (name: string, description: string, dtypes: readonly string[], dtype: string) =>
    root
      .command(name)
      .description(description)
      .argument("<in>", "checkpoint: .pth, .safetensors, its index, an address, or synthetic:SEED", checkWeights)
      .argument("<out>", "file ending in .safetensors; its manifest is written beside it, ending in .json")
      .addOption(new Option("--dtype <dtype>", "of the weights written").choices(dtypes).default(dtype))
      .addOption(new Option("--adapter <keep|drop>", "the adapter layers; default keep").choices(["keep", "drop"]))
      .addOption(new Option("--names <names>", "of the tensors: the reference's, or those of transformers' SamModel").choices(["reference", "transformers"]))
      .addOption(strictOption())
      .option("--shard <size>", "several files of at most this size, for instance 200MB", parseSize)
      .option("--force", "overwrite the manifest and the parts also where this command did not make them")
      .action(async (input: string, output: string, options: ConvertCommandOptions) => {
        const { convert } = await import("./convert.ts");
        await convert(input, output, options, environment);
      });
  add("convert", "Rewrite a checkpoint as safetensors; the same input gives the same bytes.", ["f32", "f16", "bf16", "int8"], "f32");
  add("quantize", "Rewrite a checkpoint smaller: f16, or int8 with a scale for each output channel.", ["f16", "int8"], "int8");
}
