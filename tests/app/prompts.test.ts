import { describe, expect, it } from "vitest";
import { addPoint, addPoints, isEmpty, movePoint, NO_PROMPTS, removeBox, removePoint, setBox, toPrompt } from "../../app/annotate/prompts.ts";

const A = { x: 3, y: 4, label: 1 } as const;
const B = { x: 9, y: 2, label: 0 } as const;
const BOX = [1, 2, 8, 9] as const;
const drawnInput = (runs: Uint32Array) => Float32Array.from(runs);
const PREVIOUS = { probabilities: new Float32Array([0.5]), model: 3 };

describe("prompts", () => {
  it("keep points in order, and one box", () => {
    const now = setBox(addPoint(setBox(addPoint(NO_PROMPTS, A), [0, 0, 1, 1]), B), BOX);
    expect(now).toEqual({ points: [A, B], box: BOX, previous: null });
    expect(removeBox(now).box).toBeNull();
    expect([isEmpty(now), isEmpty(NO_PROMPTS)]).toEqual([false, true]);
  });

  it("hold one point a pixel: the same again is no step, the other kind takes its place", () => {
    const now = addPoint(NO_PROMPTS, A);
    expect(addPoint(now, A)).toBe(now);
    expect(addPoint(now, { ...A, label: 0 }).points).toEqual([{ ...A, label: 0 }]);
    expect(addPoints(now, [A, A])).toBe(now);
    expect(addPoints(now, [A, B]).points).toEqual([A, B]);
    expect(movePoint(now, 0, { x: 1, y: 1 }).points).toEqual([{ x: 1, y: 1, label: 1 }]);
  });

  it("start over from no mask when one is taken back or moved by hand", () => {
    const now = addPoint(NO_PROMPTS, A, PREVIOUS);
    expect(now.previous).toBe(PREVIOUS);
    expect(removePoint(now, 0).previous).toBeNull();
    expect(movePoint(now, 0, B).previous).toBeNull();
  });
});

describe("the prompt for the model", () => {
  it("names only what is there", () => {
    expect(toPrompt(NO_PROMPTS, 3, true, drawnInput)).toEqual({ multimask: true });
    expect(toPrompt(addPoint(NO_PROMPTS, A), 3, "auto", drawnInput)).toEqual({ points: [A] });
    expect(toPrompt(addPoint(NO_PROMPTS, A), 3, false, drawnInput)).toEqual({ multimask: false, points: [A] });
  });

  it("gives the previous mask to the model that made it and to no other; one drawn by hand to any", () => {
    const now = setBox(NO_PROMPTS, BOX, PREVIOUS);
    expect(toPrompt(now, 3, true, drawnInput)).toEqual({ multimask: true, box: BOX, maskInput: PREVIOUS.probabilities });
    expect(toPrompt(now, 4, true, drawnInput)).toEqual({ multimask: true, box: BOX });
    const drawn = Uint32Array.of(3, 9);
    const corrected = addPoint(NO_PROMPTS, A, { drawn });
    expect(toPrompt(corrected, 4, true, drawnInput).maskInput).toEqual(Float32Array.of(3, 9));
    // It is what all further prompts correct.
    expect(movePoint(corrected, 0, B).previous).toEqual({ drawn });
    expect(removePoint(corrected, 0).previous).toEqual({ drawn });
  });
});
