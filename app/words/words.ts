// The page's words: one file a language, and the one that the browser asks for.
import type { ErrorKind } from "./de_errors.ts";
import { en } from "./en.ts";

export type WordKey = keyof typeof en;
export type Values = Readonly<Record<string, string | number>>;
export type Language = "en" | "de";

let language: Language = "en";
let words: Readonly<Record<WordKey, string>> = en;
/** What is said of errors, by kind: in English they speak for themselves. */
let faults: Readonly<Record<ErrorKind, string>> | null = null;

/** The one that was chosen, else the browser's. */
export function wantedLanguage(): Language {
  const asked = remembered() ?? globalThis.navigator?.language ?? "en";
  return asked.startsWith("de") ? "de" : "en";
}

function remembered(): string | null {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

export const languageNow = () => language;

/** What is said of an error of this kind in the page's language; null where that is English. */
export function faultWords(kind: ErrorKind, values: Values = {}): string | null {
  return faults && filled(faults[kind], values);
}

/** Languages but English are fetched when they are wanted. */
export async function speak(next: Language): Promise<void> {
  const german = next === "de" ? await import("./de.ts") : null;
  words = german?.de ?? en;
  faults = german?.deErrors ?? null;
  language = next;
}

/** From now on, and at the next start. */
export function rememberLanguage(next: Language): void {
  try {
    localStorage.setItem("language", next);
  } catch {
    // Storage may be forbidden; then it holds until the page is left.
  }
}

/**
 * The words of a key. `{name}` is filled in; `{n|slice|slices}` takes the first word for 1 and the other one else; `{many?, slice {slice}}`
 * is left out where the value is 0 or missing.
 */
export function t(key: WordKey, values: Values = {}): string {
  return filled(words[key] ?? key, values);
}

export function filled(text: string, values: Values): string {
  return text
    .replace(/\{(\w+)\?((?:[^{}]|\{\w+\})*)\}/g, (_, name: string, inside: string) => (values[name] ? inside : ""))
    .replace(/\{(\w+)\|([^|{}]*)\|([^{}]*)\}/g, (_, name: string, one: string, many: string) => `${number(values[name])} ${values[name] === 1 ? one : many}`)
    .replace(/\{(\w+)\}/g, (_, name: string) => number(values[name]));
}

/** Making one takes longer than all else that a word takes. */
const formats = new Map<string, Intl.NumberFormat>();

function number(value: string | number | undefined): string {
  return typeof value === "number" ? rounded(value, 0, 2) : (value ?? "");
}

function rounded(value: number, least: number, most: number): string {
  const key = `${language} ${least} ${most}`;
  const format = formats.get(key) ?? new Intl.NumberFormat(language, { minimumFractionDigits: least, maximumFractionDigits: most, useGrouping: false });
  formats.set(key, format);
  return format.format(value);
}

/** Whether there are words of this key. */
export function hasWords(key: string): key is WordKey {
  return Object.hasOwn(en, key);
}

/** With so many digits after the point, or the comma. */
export function decimal(value: number, digits: number): string {
  return rounded(value, digits, digits);
}

/** Words of static elements: `data-t` for what they say, `data-t-label`, `data-t-title` for names and tooltips. */
export function translate(root: ParentNode): void {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll<HTMLElement>("[data-t]")) element.textContent = t(element.dataset.t as WordKey);
  for (const element of root.querySelectorAll<HTMLElement>("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel as WordKey));
  for (const element of root.querySelectorAll<HTMLElement>("[data-t-title]")) element.title = t(element.dataset.tTitle as WordKey);
}
