// Keys and what they do: one table, from which help, tooltips and the map that a user can change are made.
import { hasWords, t, type WordKey } from "../words/words.ts";

/** Commands without what they act on: the place is the pointer's or the crosshair's. */
export type Command = keyof typeof KEYS | `label-${number}` | `window-${number}`;

/** In the order of the help. `Mod` is Ctrl, or Cmd on a Mac. Several keys of one command are separated by a space. */
export const KEYS = {
  positive: "a",
  negative: "s n",
  corner: "b",
  candidate: "t",
  "candidate-back": "Shift+t",
  accept: "Enter",
  "accept-case": "Shift+Enter",
  "object-back": "q",
  "object-next": "w",
  "case-back": ",",
  "case-next": ".",
  done: "m",
  flag: "r",
  undo: "Mod+z",
  redo: "Mod+Shift+z Mod+y",
  clear: "Delete Backspace",
  escape: "Escape",
  select: "v",
  point: "p",
  box: "Shift+b",
  brush: "d",
  eraser: "e",
  lasso: "l",
  scribble: "j",
  ruler: "u",
  axes: "Shift+u",
  contour: "Shift+o",
  smaller: "[",
  larger: "]",
  fill: "f",
  islands: "k",
  smooth: "Shift+s",
  grow: "Shift+]",
  shrink: "Shift+[",
  copy: "c",
  interpolate: "i",
  propagate: "g",
  "accept-proposals": "Shift+g",
  hide: "h",
  outline: "o",
  prompts: "x",
  "slice-back": "PageUp",
  "slice-next": "PageDown",
  "slices-back": "Shift+PageUp",
  "slices-next": "Shift+PageDown",
  cine: "y",
  views: "Shift+v",
  cross: "Shift+c",
  "zoom-in": "+ =",
  "zoom-out": "-",
  fit: "0",
  save: "Mod+s",
  export: "Mod+e",
  help: "?",
} as const satisfies Record<string, string>;

export const COMMANDS = Object.keys(KEYS) as (keyof typeof KEYS)[];

export const wordsOf = (command: keyof typeof KEYS): WordKey => `key.${command}` as WordKey;

/** What a user changed: other keys for a command. */
export type KeyMap = Readonly<Partial<Record<string, string>>>;

/** The part of a `KeyboardEvent` that decides. */
export interface Key {
  readonly key: string;
  /** The place on the keyboard, for layouts whose key is no Latin letter. */
  readonly code?: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/**
 * Where the focus is: on the stage; on nothing, or on what no key means anything to; on a control, to which arrows, Enter and
 * Space belong; or in a field that takes text, to which all keys do.
 */
export type Focus = "stage" | "nothing" | "control" | "text";

export const MOVES: Readonly<Record<string, readonly [-1 | 0 | 1, -1 | 0 | 1]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Not a key's meaning but that it has none yet: accents, input methods. */
const UNDECIDED = new Set(["Dead", "Process", "Unidentified"]);

/** What keys of places say that are no letters, where the layout's own character is not Latin. */
const PLACES: Readonly<Record<string, string>> = {
  Equal: "=",
  Minus: "-",
  NumpadAdd: "+",
  NumpadSubtract: "-",
  Comma: ",",
  Period: ".",
  BracketLeft: "[",
  BracketRight: "]",
};

/**
 * What the key means: lower case, Latin. A layout of another script (Cyrillic, Greek, Hebrew, Arabic, …) gives the letter of the same place
 * on a Latin keyboard; one that has digits or brackets on another level (French, German) gives those of the place.
 */
function meaningOf({ key, code = "", shiftKey }: Key): string {
  if (key.length > 1 && !UNDECIDED.has(key)) return key;
  if (code.startsWith("Bracket")) return PLACES[code] as string;
  if (/^[a-z0-9+\-=?,.[\]]$/i.test(key)) return key.toLowerCase();
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return letter.toLowerCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  if (digit && !shiftKey) return digit;
  if (code === "Slash" && shiftKey) return "?";
  return PLACES[code] ?? key;
}

/** `Mod+Shift+z`; Shift is said where the character does not tell. */
export function comboOf(event: Key): string {
  const meaning = meaningOf(event);
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  const shift = event.shiftKey && (meaning.length > 1 || /[a-z[\],.]/.test(meaning)) ? "Shift+" : "";
  return `${mod}${event.altKey ? "Alt+" : ""}${shift}${meaning}`;
}

const DEFAULTS = combosOf({});
let [kept, keptCombos]: [KeyMap, ReadonlyMap<string, keyof typeof KEYS>] = [{}, DEFAULTS];

function combosOf(map: KeyMap): ReadonlyMap<string, keyof typeof KEYS> {
  return new Map(COMMANDS.flatMap((command) => (map[command] ?? KEYS[command]).split(" ").map((combo) => [combo, command] as const)));
}

/** What to do, or null where the key is not ours: then the browser has it. */
export function commandOf(event: Key, focus: Focus, map: KeyMap = {}): Command | null {
  if (focus === "text") return null;
  if (map !== kept) [kept, keptCombos] = [map, combosOf(map)];
  const combo = comboOf(event);
  if (focus === "control" && /^(Enter|Shift\+Enter|Backspace)$/.test(combo)) return null;
  const command = keptCombos.get(combo);
  if (command) return command;
  if (/^[1-9]$/.test(combo)) return `label-${Number(combo)}`;
  const preset = event.altKey && !event.ctrlKey && !event.metaKey ? /^(?:Digit|Numpad)([1-9])$/.exec(event.code ?? "")?.[1] : undefined;
  return preset ? `window-${Number(preset)}` : null;
}

/** The keys of a command as they are printed: `Ctrl Shift Z`. */
export function printed(command: keyof typeof KEYS, map: KeyMap = {}): string {
  const first = (map[command] ?? KEYS[command]).split(" ")[0] as string;
  const mac = globalThis.navigator?.userAgent.includes("Mac");
  const named = (part: string) => {
    const name = `keyname.${part}`;
    return part === "Mod" && mac ? "⌘" : hasWords(name) ? t(name) : undefined;
  };
  return first
    .split(/\+(?=.)/)
    .map((part) => named(part) ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ");
}

/** Original pixels per arrow key: an eightieth of the longer side, or one when fine. */
export function stride(width: number, height: number, fine: boolean): number {
  return fine ? 1 : Math.max(1, Math.round(Math.max(width, height) / 80));
}
