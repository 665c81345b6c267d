// Keys and what they do: everything a pointer can, without one.

export type Command =
  | { readonly do: "move"; readonly dx: -1 | 0 | 1; readonly dy: -1 | 0 | 1; readonly fine: boolean }
  | { readonly do: "positive" | "negative" | "corner" | "escape" | "undo" | "redo" | "zoom-in" | "zoom-out" | "fit" | "help" }
  | { readonly do: "candidate"; readonly index: number };

/** The part of a `KeyboardEvent` that decides. */
export interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

const MOVES: Readonly<Record<string, readonly [-1 | 0 | 1, -1 | 0 | 1]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Anywhere on the page, outside of text fields. */
export function pageCommand({ key, shiftKey, ctrlKey, metaKey, altKey }: Key): Command | null {
  if ((ctrlKey || metaKey) && !altKey) {
    if (key.toLowerCase() === "z") return { do: shiftKey ? "redo" : "undo" };
    if (key.toLowerCase() === "y" && !shiftKey) return { do: "redo" };
    return null;
  }
  return key === "?" && !altKey ? { do: "help" } : null;
}

/** While the stage has the focus. */
export function stageCommand({ key, shiftKey, ctrlKey, metaKey, altKey }: Key): Command | null {
  if (ctrlKey || metaKey || altKey) return null;
  const move = MOVES[key];
  if (move) return { do: "move", dx: move[0], dy: move[1], fine: shiftKey };
  if (/^[1-4]$/.test(key)) return { do: "candidate", index: Number(key) - 1 };
  switch (key.toLowerCase()) {
    case "enter":
    case " ":
      return { do: shiftKey ? "negative" : "positive" };
    case "n":
      return { do: "negative" };
    case "b":
      return { do: "corner" };
    case "escape":
      return { do: "escape" };
    case "+":
    case "=":
      return { do: "zoom-in" };
    case "-":
      return { do: "zoom-out" };
    case "0":
      return { do: "fit" };
    default:
      return null;
  }
}

/** Original pixels per arrow key: an eightieth of the longer side, or one when fine. */
export function stride(width: number, height: number, fine: boolean): number {
  return fine ? 1 : Math.max(1, Math.round(Math.max(width, height) / 80));
}
