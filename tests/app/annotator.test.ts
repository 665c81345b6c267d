// Objects, their masks and prompts, and the journal over all of them: without a page.
import { beforeEach, describe, expect, it } from "vitest";
import { Annotator } from "../../app/annotate/annotator.ts";
import { type Case, currentWork, newCase, type Shown } from "../../app/annotate/case.ts";
import { noted } from "../../app/annotate/journal.ts";
import { LABEL_FILES, readLabels } from "../../app/annotate/label_files.ts";
import { addPoint, isEmpty, NO_PROMPTS } from "../../app/annotate/prompts.ts";
import { areaRuns, pointsAlong, strokeRuns } from "../../app/annotate/strokes.ts";
import { currentCase, initialState, Store } from "../../app/state.ts";
import { Labelmap, pixelCount, runsOf } from "../../src/volume/index.ts";

const SHOWN = { id: "a", picture: { width: 4, height: 2, data: new Uint8ClampedArray(32) }, canvas: {}, slice: null } as unknown as Shown;
const bits = (text: string) => runsOf(Uint8Array.from(text, Number));
const result = (...masks: string[]) => ({
  count: masks.length,
  mask: (index: number) => bits(masks[index] as string),
  maskBytes: 0,
  framing: { width: 4, height: 2, size: 4, fit: "resize", scaleX: 1, scaleY: 1, left: 0, top: 0 } as const,
  scores: Float32Array.from(masks, () => 0.5),
  logits: null,
  best: 0,
  decodeMs: 1,
});

let store: Store;
let annotator: Annotator;
const now = () => currentCase(store.state) as Case;
const mask = (object: number) => [...annotator.runs(now(), object)];

beforeEach(() => {
  store = new Store(initialState());
  annotator = new Annotator(store);
  store.set({ cases: [newCase({ id: "a", name: "a", origin: "file", shown: SHOWN, labelmap: new Labelmap(4, 2, 1) })], current: "a" });
});

/** A point, and the mask that the model makes of it. */
function point(x: number, mask: string): void {
  annotator.setPrompts({ key: "step.positive" }, (prompts) => addPoint(prompts, { x, y: 0, label: 1 }));
  annotator.take(now(), now().object, now().place, currentWork(now()).prompts, result(mask), "model 1");
}

describe("a journal over objects", () => {
  it("takes point and mask back as one step, and does them again, across objects", () => {
    point(0, "11000000");
    annotator.accept();
    annotator.newObject(1);
    point(2, "00110000");
    expect([mask(1), mask(2), now().object]).toEqual([[0, 2], [2, 4], 2]);
    const undone = [1, 2, 3, 4].map(() => annotator.step(true)?.what.key);
    expect(undone).toEqual(["step.positive", "step.new", "step.accept", "step.positive"]);
    expect([mask(1), now().object, isEmpty(currentWork(now()).prompts)]).toEqual([[], 1, true]);
    expect(annotator.step(true)).toBeNull();
    for (let i = 0; i < 4; i++) annotator.step(false);
    expect([mask(1), mask(2), now().object]).toEqual([[0, 2], [2, 4], 2]);
  });

  it("counts another choice among the candidates as a change to be saved and taken back", () => {
    point(0, "11000000");
    const touched: (readonly string[])[] = [];
    store.onTouched((_, { keys }) => touched.push(keys));
    annotator.choose(result("11000000", "00001111"), 1, "model 1");
    expect([mask(1), currentWork(now()).choice?.index, touched.length]).toEqual([[4, 8], 1, 1]);
    expect(annotator.step(true)?.what.key).toBe("step.candidate");
    expect([mask(1), currentWork(now()).choice]).toEqual([[0, 2], null]);
  });

  it("gives back what a mask took from another object when a better one takes its place", () => {
    point(0, "11110000");
    annotator.newObject(1);
    point(3, "00111100");
    expect(mask(1)).toEqual([0, 2]);
    point(2, "00011000");
    expect([mask(1), mask(2)]).toEqual([
      [0, 3],
      [3, 5],
    ]);
    annotator.step(true);
    annotator.step(true);
    expect(mask(1)).toEqual([0, 4]);
  });

  it("keeps a mask that was accepted, or drawn on another day, when the model says something else of its prompts", () => {
    point(0, "11000000");
    annotator.accept();
    const { prompts } = currentWork(now());
    annotator.take(now(), 1, now().place, prompts, result("11111111"), "model 2");
    expect(mask(1)).toEqual([0, 2]);
  });

  it("drops prompts where a mask is drawn by hand, and has them again after undo", () => {
    point(0, "11000000");
    annotator.draw({ key: "step.brush" }, bits("11100000"));
    expect([mask(1), isEmpty(currentWork(now()).prompts)]).toEqual([[0, 3], true]);
    annotator.step(true);
    expect([mask(1), currentWork(now()).prompts.points.length]).toEqual([[0, 2], 1]);
  });

  it("changes nothing of a locked object", () => {
    point(0, "11000000");
    annotator.change(1, { locked: true });
    annotator.draw({ key: "step.brush" }, bits("11111111"));
    annotator.remove(1);
    annotator.newObject(1);
    annotator.draw({ key: "step.brush" }, bits("11111111"));
    expect([mask(1), mask(2)]).toEqual([
      [0, 2],
      [2, 8],
    ]);
  });

  it("merges and deletes as steps", () => {
    point(0, "11000000");
    annotator.newObject(2);
    point(3, "00010000");
    annotator.merge(2, 1);
    expect([mask(1), now().objects.length]).toEqual([[0, 2, 3, 4], 1]);
    annotator.step(true);
    expect([mask(1), mask(2), now().objects.length]).toEqual([[0, 2], [3, 4], 2]);
    annotator.remove(1);
    expect(now().objects.map(({ id }) => id)).toEqual([2]);
    annotator.step(true);
    expect(mask(1)).toEqual([0, 2]);
  });

  it("goes by label: an empty object takes the label, one that is there is selected, and again the one before", () => {
    point(0, "11000000");
    annotator.newObject(1);
    point(3, "00010000");
    annotator.toLabel(2);
    expect([now().object, now().objects.at(-1)?.label]).toEqual([3, 2]);
    annotator.toLabel(1);
    expect(now().object).toBe(2);
    annotator.toLabel(1);
    expect(now().object).toBe(1);
  });

  it("is bounded in bytes, but never without its last step", () => {
    const runs = new Uint32Array((4 << 20) - 500);
    const entry = {
      what: { key: "x" },
      place: now().place,
      works: [],
      objects: null,
      object: [1, 1],
      changes: [{ label: 1, slice: 0, before: runs, after: runs }],
    } as const;
    let journal = now().journal;
    for (let i = 0; i < 5; i++) journal = noted(journal, entry);
    expect(journal.past.length).toBe(2);
  });
});

describe("strokes", () => {
  it("of a round brush hold the pixels whose centres are in reach, on pixels of any shape", () => {
    const size = { width: 9, height: 9 };
    expect(pixelCount(strokeRuns([[4.5, 4.5]], 2, size))).toBe(13);
    expect(pixelCount(strokeRuns([[4.5, 4.5]], 2, { ...size, ratio: 2 }))).toBe(7);
    expect(pixelCount(strokeRuns([[4.2, 4.9]], 0.1, size))).toBe(1);
    const mask = strokeRuns(
      [
        [0.5, 0.5],
        [8.5, 0.5],
      ],
      0.6,
      size,
    );
    expect([...mask]).toEqual([0, 9]);
  });

  it("close to an area, and give points along a line", () => {
    const square = [
      [1, 1],
      [4, 1],
      [4, 3],
      [1, 3],
    ] as const;
    expect([...areaRuns([square], { width: 5, height: 5 })]).toEqual([6, 9, 11, 14]);
    const line = Array.from({ length: 50 }, (_, i) => [i + 0.5, 3.5] as const);
    const points = pointsAlong(line, { width: 60, height: 9 });
    expect(points.length).toBe(5);
    expect(points.every(({ y }) => y === 3)).toBe(true);
  });
});

describe("files of labels", () => {
  const tissue = { value: "123037004", scheme: "SCT", meaning: "Anatomical Structure" };
  const LABELS = [
    { id: 1, name: "Leber, links", colour: "#00ff7f", category: tissue, type: { value: "10200004", scheme: "SCT", meaning: "Liver" } },
    { id: 3, name: "腫瘍 2", colour: "#dd8265" },
    { id: 11, name: "kidney", colour: "#ffffff", category: tissue, type: { value: "64033007", scheme: "SCT", meaning: "Kidney, unspecified" } },
  ];

  it("keep numbers, names, colours and codes through this page's, Slicer's and COCO's own, and back", () => {
    const through = (format: keyof typeof LABEL_FILES) => readLabels(LABEL_FILES[format].write(LABELS), LABEL_FILES[format].file);
    for (const format of ["json", "csv", "coco"] as const) expect(through(format), format).toEqual(LABELS);
    expect(through("ctbl")).toEqual(LABELS.map(({ id, name, colour }) => ({ id, name, colour })));
  });

  it("are as 3D Slicer's readers and COCO's have them", () => {
    const [head, first] = LABEL_FILES.csv.write(LABELS).split("\n");
    expect(head).toMatch(/^LabelValue,Name,Color_R,Color_G,Color_B,Color_A,Category_CodingScheme,Category_CodeValue,Category_CodeMeaning,Type_CodingScheme,/);
    expect(first).toBe('1,"Leber, links",0,255,127,255,SCT,123037004,Anatomical Structure,SCT,10200004,Liver,,,,,,,,,');
    expect(LABEL_FILES.ctbl.write(LABELS).split("\n").slice(2, 4)).toEqual(["0 Background 0 0 0 0", "1 Leber,_links 0 255 127 255"]);
    expect(JSON.parse(LABEL_FILES.coco.write(LABELS)).categories[0]).toMatchObject({ id: 1, name: "Leber, links", supercategory: "Anatomical Structure" });
  });

  it("of Slicer may have their columns in another order, no codes, no colour, and quoted marks", () => {
    expect(readLabels('\uFEFFName,LabelValue\r\n"a ""b"", c",2\r\n,7\r\n', "t.csv")).toEqual([{ id: 2, name: 'a "b", c', colour: "#ffb020" }]);
  });

  it("are read of this page, COCO, and 3D Slicer's tables and terminologies", () => {
    expect(readLabels(JSON.stringify({ categories: [{ id: 0, name: "cell" }] }), "c.json")).toMatchObject([{ id: 1, name: "cell" }]);
    expect(readLabels("# table\n0 background 0 0 0 0\n1 liver_lobe 221 130 101 255\n", "t.ctbl")).toEqual([{ id: 1, name: "liver lobe", colour: "#dd8265" }]);
    const type = { CodeValue: "10200004", CodingSchemeDesignator: "SCT", CodeMeaning: "Liver", recommendedDisplayRGBValue: [221, 130, 101] };
    const category = { CodeValue: "123037004", CodingSchemeDesignator: "SCT", CodeMeaning: "Anatomical Structure", Type: [type] };
    expect(readLabels(JSON.stringify({ SegmentationCodes: { Category: [category] } }), "s.json")).toMatchObject([
      { id: 1, name: "Liver", colour: "#dd8265", category: { value: "123037004" }, type: { value: "10200004", meaning: "Liver" } },
    ]);
    expect(() => readLabels("{}", "x.json")).toThrow(expect.objectContaining({ argument: "x.json", got: "nothing of the kind" }));
  });
});

it("no prompts are no prompts", () => expect(isEmpty(NO_PROMPTS)).toBe(true));
