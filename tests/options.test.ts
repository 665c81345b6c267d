// Misspelt options of every entry are told, with the name that was meant; none is ignored.
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/checkpoint/open.ts";
import { SamError } from "../src/errors.ts";
import { decodeEverything } from "../src/everything/index.ts";
import { dicomWebSeries, dicomWebStudies, fromDicomWeb, kindOf, mendPicture, openFiles, toDicomWeb, writeLabels } from "../src/formats/index.ts";
import { encodeMany, listCached, maskFromBits, maskInputOf, maskToContours, maskToImageData, maskToRle } from "../src/index.ts";
import {
  editLabel,
  Labelmap,
  labelmapOf,
  labelmapOfSegmentation,
  layLabels,
  measure,
  ownLabels,
  planeView,
  promptsJson,
  propagate,
  readPromptsJson,
  render,
  SliceCache,
  type Volume,
} from "../src/volume/index.ts";

const url = "http://127.0.0.1:1/dicom-web";
const labelmap = new Labelmap(4, 3, 1);
const volume = { name: "v", format: "drawn", columns: 4, rows: 3, slices: 1, slice: () => never() } as unknown as Volume;
const segmenter = { config: { grid: 4 }, encode: () => never(), decode: () => never() } as never;
const never = () => Promise.reject(new Error("asked"));
const image = { data: new Uint8Array(4), width: 2, height: 2, channels: 1 } as const;
const accepted = { from: 0, range: [0, 1], mask: Uint32Array.of(0, 2), picture: never } as const;
const first = async (steps: AsyncGenerator<unknown>) => steps.next();
/** What the compiler would not let pass. */
const bad = (options: object) => options as never;

describe("a thing in the wrong place", () => {
  it("as maskInputOf's answer or number is named too", () => {
    const decoded = { scores: new Float32Array(2), logits: new Float32Array(8), best: 0 };
    for (const [given, got] of [
      [[{}, 9], "an empty object, and 9"],
      [[decoded, 2], "an object with scores, logits, best, and 2"],
      [[undefined], "nothing, and nothing"],
    ] as const)
      expect(() => maskInputOf(...(given as never as [typeof decoded]))).toThrow(expect.objectContaining({ name: "SamError", code: "prompt", got }));
  });

  it.each<[argument: string, got: string, work: () => unknown]>([
    ["files", 'the string "scan.dcm"', () => openFiles(bad("scan.dcm" as never))],
    ["files", "nothing", () => openFiles(undefined as never)],
    ["files", "a Uint8Array", () => openFiles(new Uint8Array(3) as never)],
    ["files[1]", 'the string "b.dcm"', () => openFiles([new File([], "a"), "b.dcm" as never])],
    ["files[0]", "null", () => openFiles([null as never])],
    ["files[0]", "an object with path", () => openFiles([{ path: "x" } as never])],
    ["files[0]", "a Blob", () => openFiles([new Blob(["x"]) as never])],
    ["format", 'the string "nift"', () => writeLabels(labelmap, volume, "nift" as never)],
    ["files", 'the string "a"', () => toDicomWeb("a" as never, { url })],
    ["segmenter", "an empty object", () => first(encodeMany({} as never, [image]))],
    ["images", "nothing", () => first(encodeMany(segmenter, undefined as never))],
    ["images", 'the string "abc"', () => first(encodeMany(segmenter, "abc" as never))],
    ["name", "nothing", () => new Labelmap(4, 3, 1, [{ id: 1 } as never])],
    ["mask", "an empty object", () => maskToRle({} as never)],
    ["mask", 'the string "x"', () => maskToContours("x" as never)],
    ["mask", "null", () => maskToImageData(null as never)],
    ["mask", "an object with data, width, height", () => maskToRle({ data: new Uint8Array(5), width: 3, height: 2 })],
    ["mask", "an object with bits, width, height", () => maskFromBits({ bits: new Uint32Array(1), width: 33, height: 1 })],
    ["storage", 'the string "hf:a/b"', () => listCached("hf:a/b" as never)],
    ["head", 'the string "%PDF"', () => kindOf("%PDF" as never)],
    ["bytes", "an ArrayBuffer", () => mendPicture(new ArrayBuffer(8) as never)],
    ["slice", "nothing", () => render(undefined as never, { center: 1, width: 1 } as never)],
    ["volume", "nothing", () => planeView(undefined as never, "axial")],
    ["volume", "an array of 1", () => measure(labelmap, [volume] as never)],
    ["labelmap", `an object with name, format, columns, rows, slices, slice`, () => measure(volume as never, volume)],
    ["source", "nothing", () => layLabels(undefined as never, volume)],
    ["source", "an array of 1", () => ownLabels([volume] as never)],
    ["segmentation", "an object with name, format, columns, rows, slices, slice", () => labelmapOfSegmentation(volume as never, volume)],
    ["volume", "null", () => labelmapOf(null as never)],
    ["volume", "an array of 0", () => promptsJson([] as never, volume as never)],
    ["volume", "nothing", () => readPromptsJson("{}", undefined as never)],
    ["labelmap", "nothing", () => editLabel(undefined as never, 1, { kind: "keep-largest" })],
    ["edit", 'the string "smooth"', () => editLabel(labelmap, 1, "smooth" as never)],
  ])("as %s is named as what it is: %s", async (argument, got, work) => {
    const outcome = await Promise.resolve()
      .then(work)
      .catch((thrown: unknown) => thrown);
    expect(outcome).toBeInstanceOf(SamError);
    expect(outcome).toMatchObject({ argument, got });
  });
});

describe("a misspelt option", () => {
  it.each<[call: string, argument: string, meant: RegExp, work: () => unknown]>([
    ["openCheckpoint", "options", /onProgress/, () => openCheckpoint(new ArrayBuffer(8), bad({ onprogress: () => {} }))],
    ["encodeMany", "options", /priority/, () => first(encodeMany(segmenter, [image], bad({ prioritiy: () => 1 })))],
    ["encodeMany", "signal", /Leave it out/, () => first(encodeMany(segmenter, [image], bad({ signal: true })))],
    ["decodeEverything", "minscore", /name/, () => first(decodeEverything(segmenter, image, bad({ minscore: 0.5 })))],
    ["propagate", "options", /range/, () => first(propagate(segmenter, bad({ ...accepted, ranges: [0, 1] })))],
    ["propagate", "stop", /areaJump/, () => first(propagate(segmenter, bad({ ...accepted, stop: { areajump: 3 } })))],
    ["layLabels", "options", /resample/, () => layLabels(volume, volume, bad({ resampling: "nearest" }))],
    ["editLabel", "milimeters", /Perhaps mm is meant/, () => editLabel(labelmap, 1, bad({ kind: "grow", mm: 2, milimeters: 3 }))],
    ["editLabel", "slice", /Perhaps slices is meant/, () => editLabel(labelmap, 1, { kind: "boundary" }, bad({ slice: [0] }))],
    ["editLabel", "slices", /Leave it out/, () => editLabel(labelmap, 1, bad({ kind: "boundary", slices: [0] }))],
    ["editLabel", "mm", /Leave it out/, () => editLabel(labelmap, 1, bad({ kind: "boundary", mm: 2 }))],
    ["editLabel", "kind", /Choose one/, () => editLabel(labelmap, 1, bad({ kind: "grou", mm: 2 }))],
    ["grow", "mm", /Give a length/, () => editLabel(labelmap, 1, bad({ kind: "grow" }))],
    ["SliceCache", "byte", /Perhaps bytes is meant/, () => new SliceCache(bad({ byte: 4 }))],
    ["planeView", "byte", /Perhaps bytes is meant/, () => planeView(volume, "axial", bad({ byte: 4 }))],
    ["openFiles", "options", /decoders/, () => openFiles([], bad({ decoder: {} }))],
    ["writeLabels", "options", /overlaps/, () => writeLabels(labelmap, volume, "nifti", bad({ overlap: "file-each" }))],
    ["fromDicomWeb", "options", /series/, () => fromDicomWeb(bad({ url, study: "1", serie: "2" }))],
    ["dicomWebStudies", "options", /query/, () => dicomWebStudies(bad({ url, querry: {} }))],
    ["dicomWebSeries", "options", /headers/, () => dicomWebSeries(bad({ url, study: "1", header: {} }))],
    ["toDicomWeb", "options", /study/, () => toDicomWeb([], bad({ url, studies: "1" }))],
  ])("of %s is an error", async (call, argument, meant, work) => {
    const error = await Promise.resolve()
      .then(work)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(SamError);
    expect(error).toMatchObject({ op: call, argument });
    expect((error as SamError).remedy).toMatch(meant);
  });
});
