import { describe, expect, it } from "vitest";
import { baseName, promptFile, readPromptFile } from "../../app/open/download.ts";
import { addPoint, NO_PROMPTS, setBox } from "../../app/annotate/prompts.ts";

const IMAGE = { name: "scan.png", width: 100, height: 80 };

describe("a prompt file", () => {
  it("comes back as it went", () => {
    const now = setBox(addPoint(NO_PROMPTS, { x: 99, y: 79, label: 0 }), [0, 0, 100, 80]);
    const text = JSON.stringify(promptFile(IMAGE, now));
    expect(readPromptFile(text, "scan.json", 100, 80)).toEqual({ points: now.points, box: now.box });
  });

  it.each([
    ["not JSON", "{", "not JSON"],
    ["nothing in it", "{}", "neither a point nor a box"],
    ["null", "null", "neither a point nor a box"],
    ["a point outside", JSON.stringify({ points: [{ x: 100, y: 0, label: 1 }] }), "point 1"],
    ["a point without a label", JSON.stringify({ points: [{ x: 1, y: 0 }] }), "point 1"],
    ["a point that is none", JSON.stringify({ points: [null] }), "point 1"],
    ["a box without area", JSON.stringify({ box: [5, 5, 5, 9] }), "box"],
    ["a box outside", JSON.stringify({ box: [5, 5, 101, 9] }), "box"],
    ["a box of words", JSON.stringify({ box: ["a", "b", "c", "d"] }), "box"],
  ])("with %s is refused, and says why", (_, text, got) => {
    expect(() => readPromptFile(text, "scan.json", 100, 80)).toThrow(
      expect.objectContaining({ code: "prompt", argument: "scan.json", got: expect.stringContaining(got) }),
    );
  });
});

it("file names lose their ending and what file systems do not take", () => {
  expect(["scan.final.png", "a b/c:d.jpeg", "Überblick.PNG", "???", ""].map(baseName)).toEqual(["scan.final", "a_b_c_d", "Überblick", "image", "image"]);
});
