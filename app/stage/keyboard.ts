// Keys and what they do: everything a pointer can, without one.

export type Command =
  | { readonly do: "move"; readonly dx: -1 | 0 | 1; readonly dy: -1 | 0 | 1; readonly fine: boolean }
  | { readonly do: "positive" | "negative" | "corner" | "escape" | "clear" | "undo" | "redo" | "zoom-in" | "zoom-out" | "fit" | "help" }
  | { readonly do: "candidate"; readonly index: number }
  | { readonly do: "slices"; readonly step: number };

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

const MOVES: Readonly<Record<string, readonly [-1 | 0 | 1, -1 | 0 | 1]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Not a key's meaning but that it has none yet: accents, input methods. */
const UNDECIDED = new Set(["Dead", "Process", "Unidentified"]);

/**
 * What the key means: lower case, Latin. A layout of another script (Cyrillic, Greek, Hebrew, Arabic, …) gives the letter of the same place
 * on a Latin keyboard; one that has digits on the second level only (French) gives the digit.
 */
export function meaningOf({ key, code = "", shiftKey }: Key): string {
  if (key.length > 1 && !UNDECIDED.has(key)) return key;
  if (/^[a-z0-9+\-=?]$/i.test(key)) return key.toLowerCase();
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return letter.toLowerCase();
  const digit = shiftKey ? undefined : /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  if (digit) return digit;
  if (code === "Slash" && shiftKey) return "?";
  return { Equal: "=", Minus: "-", NumpadAdd: "+", NumpadSubtract: "-" }[code] ?? key;
}

/** What to do, or null where the key is not ours: then the browser has it. */
export function commandOf(event: Key, focus: Focus): Command | null {
  if (focus === "text") return null;
  const { shiftKey, ctrlKey, metaKey, altKey } = event;
  const key = meaningOf(event);
  if ((ctrlKey || metaKey) && !altKey) {
    if (key === "z") return { do: shiftKey ? "redo" : "undo" };
    return key === "y" && !shiftKey ? { do: "redo" } : null;
  }
  if (ctrlKey || metaKey || altKey) return null;
  if (focus !== "control") {
    const move = MOVES[key];
    // Elsewhere arrows scroll.
    if (move && focus === "stage") return { do: "move", dx: move[0], dy: move[1], fine: shiftKey };
    if (key === "Enter" || key === " ") return { do: shiftKey ? "negative" : "positive" };
  }
  if (/^[1-4]$/.test(key)) return { do: "candidate", index: Number(key) - 1 };
  switch (key) {
    case "PageUp":
      return { do: "slices", step: shiftKey ? -10 : -1 };
    case "PageDown":
      return { do: "slices", step: shiftKey ? 10 : 1 };
    case "n":
      return { do: "negative" };
    case "b":
      return { do: "corner" };
    case "Escape":
      return { do: "escape" };
    case "Delete":
      return { do: "clear" };
    case "+":
    case "=":
      return { do: "zoom-in" };
    case "-":
      return { do: "zoom-out" };
    case "0":
      return { do: "fit" };
    case "?":
      return { do: "help" };
    default:
      return null;
  }
}

/** Original pixels per arrow key: an eightieth of the longer side, or one when fine. */
export function stride(width: number, height: number, fine: boolean): number {
  return fine ? 1 : Math.max(1, Math.round(Math.max(width, height) / 80));
}
