// Choices of kernels to measure with, so that two runs compare the same ones.
import type { Choices } from "../graph/target.ts";
import { parseChoices } from "../tuning.ts";
import { parseReport, runsOf, SCHEMA } from "./report.ts";

/** What a file pins: the choices of a saved run and those beside it, or an object of names by shape. Undefined where it is neither. */
export function pinnedChoices(text: string): Choices | undefined {
  const choices = parseChoices(text);
  if (choices) return choices;
  if (!text.includes(SCHEMA)) return undefined;
  try {
    return Object.fromEntries(runsOf(parseReport(text)).flatMap(({ tuning = [] }) => tuning.map(({ shape, chosen }) => [shape, chosen])));
  } catch {
    return undefined;
  }
}
