// The prompts of a whole volume: out to a file, and back onto the slices they were set on.
import type { Box } from "../../src/index.ts";
import { promptsJson, readPromptsJson, type SlicePrompts, type Volume } from "../../src/volume/index.ts";
import { nameOfLabel } from "../annotate/annotator.ts";
import { type Case, placeOfKey } from "../annotate/case.ts";
import { colourOf, type LabelOf } from "../annotate/labels.ts";
import { isEmpty } from "../annotate/prompts.ts";
import type { Desk } from "../desk.ts";

/** Of all objects and slices, whatever is shown. */
export function volumePrompts(of: Case, volume: Volume, labels: readonly LabelOf[]): Promise<string> {
  const prompts = [...of.works].flatMap(
    ([
      key,
      {
        prompts: { points, box },
        prompts,
      },
    ]): SlicePrompts[] => {
      if (isEmpty(prompts)) return [];
      const { object, plane, index } = placeOfKey(key);
      const label = nameOfLabel(labels, of.objects.find(({ id }) => id === object)?.label);
      return [{ label, plane, slice: index, points, ...(box && { box: [...box] }) }];
    },
  );
  return promptsJson(volume, prompts);
}

/** Whether a text is what `volumePrompts` wrote, of whatever volume. */
export function isOfVolume(text: string): boolean {
  try {
    const file = JSON.parse(text) as { volume?: unknown; prompts?: unknown };
    return typeof file.volume === "object" && Array.isArray(file.prompts);
  } catch {
    return false;
  }
}

/** As one step; labels that the page does not know by name are added. Their masks come when their slices are looked at. */
export async function setVolumePrompts(desk: Desk, volume: Volume, text: string, name: string): Promise<void> {
  const prompts = await readPromptsJson(text, volume, name);
  const labels = [...desk.store.state.labels];
  const idOf = (label: string) => {
    const known = labels.find((other) => other.name.toLowerCase() === label.toLowerCase());
    if (known) return known.id;
    const id = 1 + Math.max(0, ...labels.map((other) => other.id));
    labels.push({ id, name: label, colour: colourOf(id) });
    return id;
  };
  const given = prompts.map(({ label, plane, slice, points, box }) => ({
    label: idOf(label),
    place: { plane, index: slice },
    prompts: { points, box: (box as Box | undefined) ?? null, previous: null },
  }));
  desk.store.set({ labels });
  desk.annotator.setManyPrompts({ key: "step.file" }, given);
  desk.ask();
}
