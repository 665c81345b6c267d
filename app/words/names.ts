// Names that the page itself gave, in the language of the day: they follow it when it is changed. What a person named stays.
import type { State } from "../state.ts";
import { enNames } from "./en_names.ts";
import { t, type WordKey } from "./words.ts";

/** More labels than anybody adds without naming them, and lesions of the set. */
const MOST = 99;

/** Of what is drawn on a sample. */
export function structureName(name: string): string {
  const key = `organ.${name}`;
  return key in enNames ? t(key as WordKey) : name;
}

function givenNames(): readonly string[] {
  const plain = (Object.keys(enNames) as WordKey[]).filter((key) => key !== "label.new" && key !== "set.case.lesion").map((key) => t(key));
  const numbered = Array.from({ length: MOST }, (_, i) => [t("label.new", { n: i + 1 }), t("set.case.lesion", { n: i + 1 })]);
  return [...plain, ...numbered.flat()];
}

/** Changes the language by `change`, and gives labels and samples in it. */
export async function renamed(change: () => Promise<void>, now: () => State): Promise<Pick<State, "labels" | "cases">> {
  const before = givenNames();
  await change();
  const after = givenNames();
  const names = new Map(before.map((name, i) => [name, after[i] as string]));
  const { labels, cases } = now();
  const named = <T extends { readonly name: string }>(one: T): T => ({ ...one, name: names.get(one.name) ?? one.name });
  return {
    labels: labels.map(named),
    cases: cases.map((of) => {
      if (of.origin !== "sample") return of;
      const { suggestion } = of;
      return { ...named(of), truths: of.truths.map(named), suggestion: suggestion && { ...suggestion, what: names.get(suggestion.what) ?? suggestion.what } };
    }),
  };
}
