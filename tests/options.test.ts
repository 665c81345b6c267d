// Misspelt options of every entry are told, with the name that was meant; none is ignored.
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/checkpoint/open.ts";
import { SamError } from "../src/errors.ts";
import { decodeEverything } from "../src/everything/index.ts";
import { dicomWebSeries, dicomWebStudies, fromDicomWeb, openFiles, toDicomWeb, writeLabels } from "../src/formats/index.ts";
import { encodeMany } from "../src/index.ts";
import { editLabel, Labelmap, layLabels, propagate, type Volume } from "../src/volume/index.ts";

const url = "http://127.0.0.1:1/dicom-web";
const labelmap = new Labelmap(4, 3, 1);
const volume = {} as Volume;
const segmenter = { config: { grid: 4 }, encode: () => never(), decode: () => never() } as never;
const never = () => Promise.reject(new Error("asked"));
const image = { data: new Uint8Array(4), width: 2, height: 2, channels: 1 } as const;
const accepted = { from: 0, range: [0, 1], mask: Uint32Array.of(0, 2), picture: never } as const;
const first = async (steps: AsyncGenerator<unknown>) => steps.next();
/** What the compiler would not let pass. */
const bad = (options: object) => options as never;

describe("a misspelt option", () => {
  it.each<[call: string, argument: string, meant: RegExp, work: () => unknown]>([
    ["openCheckpoint", "options", /onProgress/, () => openCheckpoint(new ArrayBuffer(8), bad({ onprogress: () => {} }))],
    ["encodeMany", "options", /priority/, () => first(encodeMany(segmenter, [image], bad({ prioritiy: () => 1 })))],
    ["encodeMany", "signal", /Leave it out/, () => first(encodeMany(segmenter, [image], bad({ signal: true })))],
    ["decodeEverything", "minscore", /name/, () => first(decodeEverything(segmenter, image, bad({ minscore: 0.5 })))],
    ["propagate", "options", /range/, () => first(propagate(segmenter, bad({ ...accepted, ranges: [0, 1] })))],
    ["propagate", "stop", /areaJump/, () => first(propagate(segmenter, bad({ ...accepted, stop: { areajump: 3 } })))],
    ["layLabels", "options", /resample/, () => layLabels(volume, volume, bad({ resampling: "nearest" }))],
    ["editLabel", "milimeters", /again/, () => editLabel(labelmap, 1, bad({ kind: "grow", mm: 2, milimeters: 3 }))],
    ["editLabel", "slice", /again/, () => editLabel(labelmap, 1, { kind: "boundary" }, bad({ slice: [0] }))],
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
