// segment --prompts: what was pointed at on the slices of a volume, asked of the model, each label drawn where its prompts are.
import type { Prompt } from "../index.ts";
import { labelColor } from "../volume/label_color.ts";
import { Labelmap } from "../volume/labelmap.ts";
import { planeView } from "../volume/plane.ts";
import { planeMap } from "../volume/plane_map.ts";
import { drawOnPlane } from "../volume/plane_labels.ts";
import { render } from "../volume/render.ts";
import { pixelCount, runsOf, union } from "../volume/runs.ts";
import { readPromptsJson, type SlicePrompts } from "../volume/volume_prompts.ts";
import { type Environment, MEANINGLESS, modelOptions } from "./environment.ts";
import { expectFreeSlices, expectSeries, labelFiles, labelFormatOf } from "./labels.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { multimaskOf } from "./parse.ts";
import { openStored, shownWindow } from "./picture.ts";
import { readText } from "./evaluation_files.ts";
import type { SegmentOptions } from "./segment.ts";
import { encodeOptions } from "./segment_volume.ts";
import { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";
import { defaultWeights, filesOf } from "./weights.ts";

/** What each of these says, the file says of every slice. */
const SAID_BY_FILE = ["slice", "position", "plane", "box", "maskInput", "propagate", "label", "overlay", "saveEmbedding", "saveLogits", "everything"] as const;

export async function segmentPrompts(
  path: string,
  out: string,
  options: SegmentOptions & { readonly prompts: string },
  environment: Environment,
): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  const weights = options.weights ?? defaultWeights();
  const odd = options.point.length > 0 ? "point" : SAID_BY_FILE.find((name) => options[name] !== undefined);
  if (odd)
    throw new UsageError(
      `--${odd.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} and --prompts: the file says what is asked for, so give one of them`,
    );
  if (!labelFormatOf(out)) throw new UsageError(`${out}: with --prompts, name a file of labels: .nii.gz, .seg.nrrd, .dcm (DICOM SEG), .json (COCO) or .png`);
  const jsonFile = options.json === "-" ? undefined : options.json;
  const destinations = { OUT: out, "--json": jsonFile };
  await checkDestinations(destinations, [path, options.prompts, ...(await filesOf(weights))]);
  const stored = await openStored(path, options.volume, terminal, signal);
  await checkDestinations(destinations, stored.files);
  if (!options.force) await expectFreeSlices(out, stored, "name another file with --out, or add --force");
  expectSeries(out, stored, path);
  const prompts = readPromptsJson(await readText(options.prompts, "--prompts"), stored, options.prompts);
  if (prompts.length === 0) throw new UsageError(`${options.prompts} holds no prompts`);
  const names = [...new Set(prompts.map(({ label }) => label))];
  const labelmap = new Labelmap(
    stored.columns,
    stored.rows,
    stored.slices,
    names.map((name, i) => ({ id: i + 1, name, color: labelColor(i + 1) })),
  );
  const model = await environment.loadModel({ weights, terminal, signal, ...modelOptions(options) });
  try {
    if (model.meaningless) terminal.say(`sam-med2d: ${MEANINGLESS}`);
    const reached = [];
    let done = 0;
    // Only the automatic one is of each slice.
    const shared = options.window === "auto" ? undefined : await shownWindow(stored, stored, 0, options.window, signal);
    for (const [plane, slices] of bySlice(prompts)) {
      const view = plane === "stored" ? stored : planeView(stored, plane);
      for (const [slice, asked] of slices) {
        const window = shared ?? (await shownWindow(stored, view, slice, options.window, signal));
        const picture = render(await view.slice(slice, { signal }), window, view);
        const embedding = await model.encode(picture, encodeOptions(options, signal, terminal));
        for (const { label, points, box } of asked) {
          const prompt: Prompt = { ...(points.length > 0 && { points }), ...(box && { box }), ...multimaskOf(options) };
          const { masks, scores, best } = await model.decode(embedding, prompt, { signal });
          const runs = runsOf((masks[best] as (typeof masks)[number]).data);
          const id = names.indexOf(label) + 1;
          if (plane !== "stored" && stored.geometry) drawOnPlane(labelmap, id, planeMap(stored.geometry, plane), slice, runs);
          else labelmap.draw(id, slice, union(labelmap.runs(id, slice), runs));
          reached.push({ label, plane, slice, area: pixelCount(runs), score: scores[best] as number });
          terminal.progress(`Segmenting  ${++done} of ${prompts.length} prompts`);
          if (runs.length === 0) terminal.notice(`the model finds nothing of ${label} on slice ${slice} (${plane})`);
        }
        embedding.dispose();
      }
    }
    terminal.clear();
    const files = await labelFiles(labelmap, stored, out, { model: model.name, signal });
    const labels = labelmap.labels.map(({ id, name }) => ({ id, name, voxels: labelmap.voxels(id) }));
    const report = { volume: path, model: model.name, weights, labels, prompts: reached, files: [...files.keys()], warnings: terminal.notices };
    const json = `${JSON.stringify(report, null, 2)}\n`;
    if (jsonFile) files.set(jsonFile, new TextEncoder().encode(json));
    await writeAll(files, signal);
    if (options.json === "-") environment.stdout.write(json);
    terminal.say(`${out}: ${labels.map(({ name, voxels }) => `${voxels} voxels of ${name}`).join(", ")} from ${prompts.length} prompts`);
  } finally {
    terminal.clear();
    model.dispose();
  }
}

/** Each slice is encoded once. */
function bySlice(prompts: readonly SlicePrompts[]): Map<SlicePrompts["plane"], Map<number, SlicePrompts[]>> {
  const planes = new Map<SlicePrompts["plane"], Map<number, SlicePrompts[]>>();
  for (const prompt of prompts) {
    const slices = planes.get(prompt.plane) ?? new Map<number, SlicePrompts[]>();
    planes.set(prompt.plane, slices.set(prompt.slice, [...(slices.get(prompt.slice) ?? []), prompt]));
  }
  return planes;
}
