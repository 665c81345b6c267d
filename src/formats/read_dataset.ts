// The masks of a SAM-Med2D dataset folder as segmentations: one for each volume and direction its files are named after.
import type { Segment, Segmentation, SegmentFrame } from "../volume/segmentation.ts";
import { paintRuns, runsOf, union } from "../volume/runs.ts";
import { badFile, baseName } from "./fail.ts";
import { readPng } from "./png.ts";
import type { Companions, FileEntry, ReadContext } from "./reader.ts";

interface MaskFile {
  readonly entry: FileEntry;
  readonly image: string;
  readonly structure: string;
  /** What all slices of a volume in one direction share. */
  readonly group: string;
  readonly slice: number;
}

export const DATASET_LISTS = ["image2label_train.json", "label2image_test.json"] as const;

/** `lists`: image → masks, or mask → image. Masks that are not there are named in one error. */
export async function datasetSegmentations(
  lists: readonly Readonly<Record<string, unknown>>[],
  path: string,
  companions: Companions,
  context: ReadContext,
): Promise<Segmentation[]> {
  const entries = lists.flatMap((list) => Object.entries(list));
  const pairs = new Map(
    entries.flatMap(([name, value]) => (Array.isArray(value) ? value.map((mask) => [`${mask}`, name] as const) : [[name, `${value}`] as const])),
  );
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const missing: string[] = [];
  const masks = [...pairs].flatMap(([mask, image], index): MaskFile[] => {
    const entry = companions(`${folder}${mask}`);
    if (!entry) missing.push(mask);
    return entry ? [{ entry, image, ...namesOf(mask, image, index) }] : [];
  });
  if (missing.length > 0)
    throw badFile(path, "the masks that it lists", `${missing.length} of ${pairs.size} missing, the first ${missing[0]}`, "Open the whole folder.");
  const groups = new Map<string, MaskFile[]>();
  for (const mask of masks) groups.set(mask.group, [...(groups.get(mask.group) ?? []), mask]);
  return Promise.all([...groups].map(([group, files]) => segmentationOf(group, files, path, context)));
}

async function segmentationOf(group: string, files: readonly MaskFile[], path: string, context: ReadContext): Promise<Segmentation> {
  const structures = [...new Set(files.map(({ structure }) => structure))].sort();
  const segments = structures.map((label, i): Segment => ({ number: i + 1, label }));
  const frames = files.map(({ structure, slice }): SegmentFrame & { slice: number } => ({ segment: structures.indexOf(structure) + 1, slice, references: [] }));
  const pixels = async ({ entry }: MaskFile) => {
    const { volumes } = await readPng(entry, context);
    const [volume] = volumes as [(typeof volumes)[number]];
    return { ...(await volume.slice(0)), path: entry.path };
  };
  const { columns, rows } = await pixels(files[0] as MaskFile);
  return {
    name: group || baseName(path),
    format: "dataset",
    kind: "binary",
    maximum: 1,
    rows,
    columns,
    segments,
    frames,
    referencedSeries: [],
    files: files.map(({ entry }) => entry.path),
    notes: [],
    async frame(index) {
      const slice = await pixels(files[index] as MaskFile);
      if (slice.columns !== columns || slice.rows !== rows || slice.samples > 2)
        throw badFile(
          slice.path,
          `a gray mask of ${columns}×${rows} pixels, as the others of ${group}`,
          `${slice.columns}×${slice.rows}`,
          "Save it at the size of its image.",
        );
      const inside = slice.samples === 1 ? slice.data : slice.data.filter((_, i) => i % 2 === 0);
      return paintRuns(union(runsOf(inside), new Uint32Array()), new Uint8Array(columns * rows));
    },
  };
}

/** `ct--amos--0004--z_0040--liver_000.png` on `ct--amos--0004--z_0040.png`: liver, on slice 40 of `ct--amos--0004--z`. */
function namesOf(mask: string, image: string, index: number): Pick<MaskFile, "structure" | "group" | "slice"> {
  const stem = (file: string) => baseName(file.replaceAll("\\", "/")).replace(/\.\w+$/, "");
  const [own, whole] = [stem(image), stem(mask)];
  const rest = whole.startsWith(own) ? whole.slice(own.length) : (whole.split("--").at(-1) as string);
  const structure = rest.replace(/^[-_. ]+/, "").replace(/_?\d+$/, "") || "mask";
  const [, group = own, number] = /^(.*?)[-_]?(\d+)$/.exec(own) ?? [];
  return { structure, group, slice: number === undefined ? index : Number(number) };
}
