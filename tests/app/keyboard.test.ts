import { describe, expect, it } from "vitest";
import { commandOf, type Focus, type Key, stride } from "../../app/stage/keyboard.ts";

function key(text: string, code = ""): Key {
  const parts = text.split("+").filter(Boolean);
  const name = text.endsWith("+") ? "+" : (parts.at(-1) ?? "");
  const has = (modifier: string) => parts.slice(0, -1).includes(modifier);
  return { key: name === "Space" ? " " : name, code, shiftKey: has("Shift"), ctrlKey: has("Ctrl"), metaKey: has("Meta"), altKey: has("Alt") };
}

const EVERYWHERE: [string, object][] = [
  ["n", { do: "negative" }],
  ["Shift+N", { do: "negative" }],
  ["b", { do: "corner" }],
  ["Escape", { do: "escape" }],
  ["Delete", { do: "clear" }],
  ["2", { do: "candidate", index: 1 }],
  ["+", { do: "zoom-in" }],
  ["-", { do: "zoom-out" }],
  ["0", { do: "fit" }],
  ["Ctrl+z", { do: "undo" }],
  ["Meta+z", { do: "undo" }],
  ["Ctrl+Shift+Z", { do: "redo" }],
  ["Ctrl+y", { do: "redo" }],
  ["Shift+?", { do: "help" }],
];

describe.each<Focus>(["stage", "nothing", "control"])("with the focus on %s", (focus) => {
  it.each(EVERYWHERE)("%s", (text, command) => expect(commandOf(key(text), focus)).toEqual(command));

  it.each(["Tab", "a", "z", "Ctrl+b", "Meta+n", "Alt+ArrowLeft", "9", "F5", "Ctrl+Alt+z", "Ctrl+c"])("%s is left to the browser", (text) =>
    expect(commandOf(key(text), focus)).toBeNull(),
  );
});

it.each(["ArrowLeft", "Enter", "Space", "Shift+Enter"])("%s belongs to the control that has the focus", (text) =>
  expect(commandOf(key(text), "control")).toBeNull(),
);

it.each([...EVERYWHERE.map(([text]) => text), "Enter", "ArrowUp"])("%s is text in a text field", (text) => expect(commandOf(key(text), "text")).toBeNull());

it.each<[string, Focus, object | null]>([
  ["Enter", "stage", { do: "positive" }],
  ["Space", "nothing", { do: "positive" }],
  ["Shift+Enter", "stage", { do: "negative" }],
  ["ArrowLeft", "stage", { do: "move", dx: -1, dy: 0, fine: false }],
  ["Shift+ArrowDown", "stage", { do: "move", dx: 0, dy: 1, fine: true }],
  ["ArrowDown", "nothing", null],
])("%s with the focus on %s", (text, focus, command) => expect(commandOf(key(text), focus)).toEqual(command));

describe("other layouts", () => {
  it.each<[string, string, string, object]>([
    ["Cyrillic", "Ctrl+я", "KeyZ", { do: "undo" }],
    ["Cyrillic", "Ctrl+Shift+Я", "KeyZ", { do: "redo" }],
    ["Cyrillic", "т", "KeyN", { do: "negative" }],
    ["Greek", "β", "KeyB", { do: "corner" }],
    ["Hebrew", "מ", "KeyN", { do: "negative" }],
    ["Arabic", "Ctrl+ئ", "KeyZ", { do: "undo" }],
    ["Arabic digits", "٢", "Digit2", { do: "candidate", index: 1 }],
    ["Persian digits", "۰", "Digit0", { do: "fit" }],
    ["French", "é", "Digit2", { do: "candidate", index: 1 }],
    ["French", "&", "Digit1", { do: "candidate", index: 0 }],
    ["an input method", "Process", "KeyN", { do: "negative" }],
    ["a dead key", "Dead", "Equal", { do: "zoom-in" }],
    // The letter counts, not its place, where it is Latin.
    ["German", "Ctrl+z", "KeyY", { do: "undo" }],
    ["Dvorak", "b", "KeyN", { do: "corner" }],
    ["French", "Shift+?", "Comma", { do: "help" }],
  ])("%s: %s", (_, text, code, command) => expect(commandOf(key(text, code), "stage")).toEqual(command));

  it("do not take a Latin letter for that of its place", () => expect(commandOf(key("x", "KeyB"), "stage")).toBeNull());
});

it("a step is one pixel when fine, else a share of the image", () => {
  expect(stride(512, 400, true)).toBe(1);
  expect(stride(512, 400, false)).toBe(6);
  expect(stride(20, 20, false)).toBe(1);
});
