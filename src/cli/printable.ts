// What files say must not act on a terminal: control characters, marks that turn the writing around, and what is not seen.

/** C0, C1, formats and marks that take no room, separators of lines, halves of pairs; but for the tabulator and the end of a line. */
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Hidden characters as `\\u001b`: in JSON the same text, anywhere else plain to see. */
export function printable(text: string): string {
  return text.replace(HIDDEN, (found) => [...Array(found.length).keys()].map((i) => escaped(found.charCodeAt(i))).join(""));
}

/** Also without line ends: a name of a file cannot make a line of its own. */
export function oneLine(text: string): string {
  return text.replace(/[\n\t]/g, (found) => escaped(found.charCodeAt(0)));
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
