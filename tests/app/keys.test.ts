import { describe, expect, it } from "vitest";
import { en } from "../../app/words/en.ts";
import { COMMANDS, commandOf, type Focus, type Key, KEYS, printed, stride, wordsOf } from "../../app/stage/keys.ts";

function key(text: string, code = ""): Key {
  const parts = text.split("+").filter(Boolean);
  const name = text.endsWith("+") ? "+" : (parts.at(-1) ?? "");
  const has = (modifier: string) => parts.slice(0, -1).includes(modifier);
  return { key: name === "Space" ? " " : name, code, shiftKey: has("Shift"), ctrlKey: has("Ctrl"), metaKey: has("Meta"), altKey: has("Alt") };
}

const EVERYWHERE: [string, string][] = [
  ["a", "positive"],
  ["n", "negative"],
  ["b", "corner"],
  ["Shift+B", "box"],
  ["Escape", "escape"],
  ["Delete", "clear"],
  ["2", "label-2"],
  ["t", "candidate"],
  ["+", "zoom-in"],
  ["-", "zoom-out"],
  ["0", "fit"],
  [",", "case-back"],
  ["Ctrl+z", "undo"],
  ["Meta+z", "undo"],
  ["Ctrl+Shift+Z", "redo"],
  ["Ctrl+y", "redo"],
  ["Shift+PageUp", "slices-back"],
  ["Shift+?", "help"],
];

describe.each<Focus>(["stage", "nothing", "control"])("with the focus on %s", (focus) => {
  it.each(EVERYWHERE)("%s", (text, command) => expect(commandOf(key(text), focus)).toBe(command));

  it.each(["Tab", "z", "Ctrl+b", "Meta+n", "Alt+ArrowLeft", "F5", "Ctrl+Alt+z", "Ctrl+c", "Ctrl+1", "ArrowLeft", "Space"])(
    "%s is left to the browser",
    (text) => expect(commandOf(key(text), focus)).toBeNull(),
  );
});

it.each(["Enter", "Shift+Enter"])("%s belongs to the control that has the focus, else it accepts", (text) => {
  expect(commandOf(key(text), "control")).toBeNull();
  expect(commandOf(key(text), "nothing")).toBe(text === "Enter" ? "accept" : "accept-case");
});

it.each([...EVERYWHERE.map(([text]) => text), "Enter", "ArrowUp"])("%s is text in a text field", (text) => expect(commandOf(key(text), "text")).toBeNull());

describe("the table", () => {
  it("gives no key to two commands, and each command words", () => {
    const combos = COMMANDS.flatMap((command) => KEYS[command].split(" "));
    expect(new Set(combos).size).toBe(combos.length);
    for (const command of COMMANDS) expect(en[wordsOf(command)], command).toBeTruthy();
  });

  it("is changed by a map of the user's own", () => {
    const map = { accept: "Shift+a", positive: "5" };
    expect(commandOf(key("Shift+A"), "stage", map)).toBe("accept");
    expect(commandOf(key("Enter"), "stage", map)).toBeNull();
    expect(commandOf(key("5"), "stage", map)).toBe("positive");
    expect([printed("accept", map), printed("redo"), printed("zoom-in"), printed("slice-back")]).toEqual(["Shift A", "Ctrl Shift Z", "+", "PgUp"]);
  });

  it("has presets of windows on Alt and a digit, whatever character that gives", () => {
    expect(commandOf({ ...key("Alt+¡", "Digit1"), altKey: true }, "stage")).toBe("window-1");
  });
});

describe("other layouts", () => {
  it.each<[string, string, string, string]>([
    ["Cyrillic", "Ctrl+я", "KeyZ", "undo"],
    ["Cyrillic", "Ctrl+Shift+Я", "KeyZ", "redo"],
    ["Cyrillic", "т", "KeyN", "negative"],
    ["Greek", "β", "KeyB", "corner"],
    ["Hebrew", "מ", "KeyN", "negative"],
    ["Arabic", "Ctrl+ئ", "KeyZ", "undo"],
    ["Arabic digits", "٢", "Digit2", "label-2"],
    ["Persian digits", "۰", "Digit0", "fit"],
    ["French", "é", "Digit2", "label-2"],
    ["French", "&", "Digit1", "label-1"],
    ["an input method", "Process", "KeyN", "negative"],
    ["a dead key", "Dead", "Equal", "zoom-in"],
    // The letter counts, not its place, where it is Latin.
    ["German", "Ctrl+z", "KeyY", "undo"],
    ["Dvorak", "b", "KeyN", "corner"],
    ["French", "Shift+?", "Comma", "help"],
  ])("%s: %s", (_, text, code, command) => expect(commandOf(key(text, code), "stage")).toBe(command));

  it("do not take a Latin letter for that of its place", () => expect(commandOf(key("x", "KeyB"), "stage")).toBe("prompts"));
});

it("a step is one pixel when fine, else a share of the image", () => {
  expect(stride(512, 400, true)).toBe(1);
  expect(stride(512, 400, false)).toBe(6);
  expect(stride(20, 20, false)).toBe(1);
});
