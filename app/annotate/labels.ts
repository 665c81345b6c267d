// The structures that objects are marked as: names, colours, codes.
import type { Label } from "../../src/volume/index.ts";
import type { ObjectOf } from "./case.ts";

export type Code = NonNullable<Label["type"]>;

export interface LabelOf {
  /** From 1; its value in label files. The first nine have the digit as key. */
  readonly id: number;
  readonly name: string;
  /** `#22c7e8` */
  readonly colour: string;
  /** SNOMED CT, for DICOM. */
  readonly category?: Code;
  readonly type?: Code;
}

/** Told apart on gray tissue and by most of those who see fewer colours; after them come others of the same lightness. */
const COLOURS = ["#22c7e8", "#ffb020", "#f35bd0", "#9be22d", "#ff7a59", "#8f9bff", "#2ee6a8", "#ffe14d", "#d08bff"] as const;

export function colourOf(id: number): string {
  const known = COLOURS[id - 1];
  if (known) return known;
  const hue = (id * 137.508) % 360;
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = 0.66 - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** That of a label, as it is set or by its number. */
export function colourOfLabel(labels: readonly LabelOf[], id: number): string {
  return labels.find((label) => label.id === id)?.colour ?? colourOf(id);
}

export function rgbOf(colour: string): [number, number, number] {
  return [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16)) as [number, number, number];
}

export const hexOf = (rgb: readonly number[]) => `#${rgb.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;

/** As the labelmap wants the objects of a case. */
export function toLabel({ id, label, locked }: ObjectOf, labels: readonly LabelOf[]): Label {
  const of = labels.find((known) => known.id === label);
  const { name = `${label}`, colour = colourOf(label), category, type } = of ?? {};
  return { id, name, color: rgbOf(colour), locked, ...(category && { category }), ...(type && { type }) };
}
