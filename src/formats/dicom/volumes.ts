// Images to volumes: by series, orientation and size; sorted; several at the same positions each a volume of its own.
import { dot, planeOf } from "../../volume/geometry.ts";
import type { DicomSource, Samples, Slice, Volume, Window } from "../../volume/volume.ts";
import { baseName } from "../fail.ts";
import type { PixelDecoders } from "../reader.ts";
import { arrange, type Slot, sorted } from "./arrangement.ts";
import type { DicomImage } from "./image.ts";
import { valueFrames } from "./pixels.ts";
import { splitByMarks } from "./split.ts";
import { TAG } from "./tags.ts";

/** Each of their images is looked at by itself, whatever series it is in. */
const PROJECTIONS = new Set(["US", "DX", "CR", "MG", "XA", "RF", "IO", "PX", "RG", "ES", "OP", "SM", "GM", "XC", "IVUS"]);

type Reader = (index: number, signal?: AbortSignal) => Promise<Slice>;

export function volumesOf(images: readonly DicomImage[], decoders?: PixelDecoders): Volume[] {
  const readers = new Map<DicomImage, Reader>(images.map((image) => [image, valueFrames(image, decoders)]));
  const groups = groupsOf(images);
  return groups
    .flatMap((slots) => ofGroup(slots, groups, readers))
    .sort((a, b) => a.order - b.order)
    .map(({ volume }) => volume);
}

/** Slots of one series, orientation, size and scale. */
function groupsOf(images: readonly DicomImage[]): Slot[][] {
  const groups: Slot[][] = [];
  for (const image of images) {
    const many = image.frames.length > 1;
    const own: Slot[][] = many ? [] : groups;
    for (const [index, frame] of image.frames.entries()) {
      const slot = { image, index, frame };
      const group = own.find((others) => together(others[0] as Slot, slot));
      if (group) group.push(slot);
      else own.push([slot]);
    }
    if (many) groups.push(...own);
  }
  return groups;
}

function together(a: Slot, b: Slot): boolean {
  if (a.image === b.image) return alike(a, b);
  if (a.image.frames.length > 1) return false;
  const uid = ({ image }: Slot) => image.file.dataset.text(TAG.SeriesInstanceUID);
  const { rows, columns, samples, photometric } = a.image;
  const same = uid(a) !== undefined && uid(a) === uid(b) && rows === b.image.rows && columns === b.image.columns && samples === b.image.samples;
  return same && photometric === b.image.photometric && !alone(a) && alike(a, b);
}

/** Without a position, and of a modality whose images are no slices. */
function alone({ image, frame }: Slot): boolean {
  return (!frame.position || !frame.orientation) && PROJECTIONS.has(image.file.dataset.text(TAG.Modality) ?? "OT");
}

function alike(a: Slot, b: Slot): boolean {
  const [x, y] = [a.frame, b.frame];
  if (x.marks.get("stack") !== y.marks.get("stack") || !x.position !== !y.position) return false;
  const close = (p?: number, q?: number) => p === q || Math.abs((p ?? 0) - (q ?? 0)) < 1e-4 * Math.abs(p ?? 1);
  if (!close(x.spacing?.betweenRows, y.spacing?.betweenRows) || !close(x.spacing?.betweenColumns, y.spacing?.betweenColumns)) return false;
  if (!x.orientation || !y.orientation) return x.orientation === y.orientation;
  return dot(x.orientation[0], y.orientation[0]) > 0.9999 && dot(x.orientation[1], y.orientation[1]) > 0.9999;
}

function ofGroup(group: readonly Slot[], groups: readonly (readonly Slot[])[], readers: ReadonlyMap<DicomImage, Reader>): { volume: Volume; order: number }[] {
  const placed = group.every(({ frame }) => frame.position && frame.orientation);
  const ordered = placed ? sorted(group) : byNumber(group);
  const { dataset } = (group[0] as Slot).image.file;
  const order = dataset.number(TAG.SeriesNumber, "IS") ?? 1e9;
  const name = nameOf(ordered, groups);
  const parts = placed ? splitByMarks(ordered) : [{ name: "", slots: ordered, notes: [] }];
  // In its own order: of a multi-frame file that of its frames.
  const own = ordered.some(({ image }) => image.frames.length > 1) ? [...group] : ordered;
  const single = parts.length === 1 && parts[0]?.slots.every((slot, i) => slot === own[i]) && parts[0].slots.length === own.length;
  const whole = single ? undefined : volumeOf({ slots: own, sorted: ordered, name, readers, notes: [] });
  return parts.map((part) => {
    const title = part.name ? `${name} · ${part.name}` : name;
    const volume = volumeOf({ slots: part.slots, sorted: part.slots, name: title, readers, notes: part.notes });
    return { volume: whole ? { ...volume, whole } : volume, order };
  });
}

function byNumber(slots: readonly Slot[]): Slot[] {
  const number = ({ image }: Slot) => image.file.dataset.number(TAG.InstanceNumber, "IS") ?? 0;
  const path = ({ image }: Slot) => image.file.path;
  return [...slots].sort((a, b) => number(a) - number(b) || (path(a) < path(b) ? -1 : path(a) > path(b) ? 1 : a.index - b.index));
}

/** The series' description, and the plane where a series has several orientations. */
function nameOf(slots: readonly Slot[], groups: readonly (readonly Slot[])[]): string {
  const { dataset, path } = (slots[0] as Slot).image.file;
  const uid = dataset.text(TAG.SeriesInstanceUID);
  const number = dataset.number(TAG.SeriesNumber, "IS");
  const described = dataset.text(TAG.SeriesDescription) ?? dataset.text(TAG.ProtocolName);
  const modality = dataset.text(TAG.Modality);
  const name = described ?? (modality && number !== undefined ? `${modality} series ${number}` : baseName(path));
  const siblings = uid === undefined ? 0 : groups.filter((group) => group[0]?.image.file.dataset.text(TAG.SeriesInstanceUID) === uid).length;
  if (siblings < 2) return name;
  const { geometry } = arrange(slots);
  return geometry && !geometry.unoriented ? `${name} (${planeOf(geometry).plane})` : `${name} (${baseName(path)})`;
}

interface Parts {
  readonly slots: readonly Slot[];
  readonly sorted: readonly Slot[];
  readonly name: string;
  readonly readers: ReadonlyMap<DicomImage, Reader>;
  readonly notes: readonly string[];
}

function volumeOf({ slots, sorted, name, readers, notes }: Parts): Volume {
  const [first] = slots as readonly [Slot];
  const { image } = first;
  const { dataset } = image.file;
  const middle = slots[slots.length >> 1] as Slot;
  const arranged = arrange(sorted);
  const modality = dataset.text(TAG.Modality);
  const unit = unitOf(image, modality);
  const [low, high] = image.padding ?? [];
  const { slope, intercept } = first.frame;
  const ends = low === undefined || high === undefined ? undefined : [low * slope + intercept, high * slope + intercept];
  return {
    name,
    format: "dicom",
    ...(modality ? { modality } : {}),
    ...(unit ? { unit } : {}),
    columns: image.columns,
    rows: image.rows,
    slices: slots.length,
    samples: (image.palette ? 3 : image.samples) as Samples,
    ...(arranged.geometry ? { geometry: arranged.geometry } : {}),
    windows: windowsOf(middle),
    inverted: image.photometric === "MONOCHROME1",
    ...(ends ? { padding: { low: Math.min(...ends), high: Math.max(...ends) } } : {}),
    files: [...new Set(slots.map((slot) => slot.image.file.path))],
    notes: [...new Set([...slots.flatMap((slot) => slot.image.notes), ...arranged.notes, ...notes])],
    photometric: image.photometric,
    ...(image.file.syntax.uid ? { transferSyntax: image.file.syntax.uid } : {}),
    dicom: sourceOf(slots),
    async slice(index, { signal } = {}) {
      signal?.throwIfAborted();
      const slot = slots[index];
      if (!slot) throw new RangeError(`slice ${index} of ${slots.length}`);
      return (readers.get(slot.image) as Reader)(slot.index, signal);
    },
  };
}

function windowsOf({ image, frame }: Slot): readonly Window[] {
  return frame.windows?.length ? frame.windows : image.windows;
}

function unitOf({ file: { dataset } }: DicomImage, modality: string | undefined): string | undefined {
  const said = dataset.text(TAG.RescaleType) ?? dataset.text(TAG.Units);
  if (said === "US") return undefined;
  return said ?? (modality === "CT" && dataset.has(TAG.RescaleIntercept) ? "HU" : undefined);
}

/** Patient, study, series, frame of reference and equipment modules. */
const KEPT = new Set(
  "00080005 00080020 00080030 00080050 00080090 00081030 0008103e 00080060 00080070 00080080 00081090 00100010 00100020 00100030 00100040 00101010 00101030 0020000d 0020000e 00200010 00200011 00200052 00201040"
    .split(" ")
    .map((tag) => Number.parseInt(tag, 16)),
);

function sourceOf(slots: readonly Slot[]): DicomSource {
  const [{ image }] = slots as readonly [Slot];
  const elements = new Map<string, { vr: string; value: string }>();
  for (const { tag, vr } of image.file.dataset.elements.values()) {
    if (KEPT.has(tag)) elements.set(tag.toString(16).padStart(8, "0"), { vr: vr ?? "LO", value: image.file.dataset.text(tag) ?? "" });
  }
  const instances = slots.map(({ image: { file, frames }, index }) => ({
    sopClass: file.dataset.text(TAG.SOPClassUID) ?? "",
    sopInstance: file.dataset.text(TAG.SOPInstanceUID) ?? "",
    ...(frames.length > 1 ? { frame: index + 1 } : {}),
  }));
  return { elements, instances };
}
