import { describe, expect, it } from "vitest";
import { type Key, pageCommand, stageCommand, stride } from "../../app/keyboard.ts";

function key(text: string): Key {
  const parts = text.split("+").filter(Boolean);
  const name = text.endsWith("+") ? "+" : (parts.at(-1) ?? "");
  const has = (modifier: string) => parts.slice(0, -1).includes(modifier);
  return { key: name === "Space" ? " " : name, shiftKey: has("Shift"), ctrlKey: has("Ctrl"), metaKey: has("Meta"), altKey: has("Alt") };
}

describe("keys on the stage", () => {
  it.each([
    ["Enter", { do: "positive" }],
    ["Space", { do: "positive" }],
    ["Shift+Enter", { do: "negative" }],
    ["n", { do: "negative" }],
    ["Shift+N", { do: "negative" }],
    ["b", { do: "corner" }],
    ["Escape", { do: "escape" }],
    ["2", { do: "candidate", index: 1 }],
    ["+", { do: "zoom-in" }],
    ["-", { do: "zoom-out" }],
    ["0", { do: "fit" }],
    ["ArrowLeft", { do: "move", dx: -1, dy: 0, fine: false }],
    ["Shift+ArrowDown", { do: "move", dx: 0, dy: 1, fine: true }],
  ])("%s", (text, command) => expect(stageCommand(key(text))).toEqual(command));

  it.each(["Tab", "a", "Ctrl+b", "Meta+n", "Alt+ArrowLeft", "9", "F5"])("%s is left to the browser", (text) => expect(stageCommand(key(text))).toBeNull());
});

describe("keys anywhere", () => {
  it.each([
    ["Ctrl+z", { do: "undo" }],
    ["Meta+z", { do: "undo" }],
    ["Ctrl+Shift+Z", { do: "redo" }],
    ["Ctrl+y", { do: "redo" }],
    ["Shift+?", { do: "help" }],
  ])("%s", (text, command) => expect(pageCommand(key(text))).toEqual(command));

  it.each(["z", "Enter", "Escape", "Ctrl+Alt+z", "Ctrl+c"])("%s is left alone", (text) => expect(pageCommand(key(text))).toBeNull());
});

it("a step is one pixel when fine, else a share of the image", () => {
  expect(stride(512, 400, true)).toBe(1);
  expect(stride(512, 400, false)).toBe(6);
  expect(stride(20, 20, false)).toBe(1);
});
