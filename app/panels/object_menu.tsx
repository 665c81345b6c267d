// The menu of an object: by right click or long press on it while objects are what is chosen, or by the menu key.
import { useEffect } from "preact/hooks";
import { objectOf } from "../annotate/case.ts";
import { currentCase } from "../state.ts";
import { byId } from "../dom.ts";
import { t } from "../words/words.ts";
import { Icon, useShared } from "./parts.tsx";

/** Labels with a key of their own. */
const MOST_LABELS = 9;

const STEPS: Readonly<Record<string, (at: number, all: number) => number>> = {
  ArrowDown: (at, all) => (at + 1) % all,
  ArrowUp: (at, all) => (at + all - 1) % all,
  Home: () => 0,
  End: (_, all) => all - 1,
};

function byArrows(event: KeyboardEvent): void {
  const step = STEPS[event.key];
  const items = [...byId("object-menu", HTMLElement).querySelectorAll<HTMLElement>("button:not(:disabled)")];
  if (!step || items.length === 0) return;
  event.preventDefault();
  event.stopPropagation();
  items[step(items.indexOf(document.activeElement as HTMLElement), items.length)]?.focus();
}

export function ObjectMenu() {
  const { desk, actions, state } = useShared();
  useEffect(() => byId("object-menu", HTMLElement).addEventListener("keydown", byArrows), []);
  const of = currentCase(state);
  const object = of && objectOf(of);
  if (!object) return null;
  const { id, label, visible, locked } = object;
  const name = desk.nameOf(id);
  const act = (run: () => void) => () => {
    byId("object-menu", HTMLElement).hidePopover();
    run();
    actions.focusStage();
  };
  return (
    <>
      <button type="button" role="menuitem" id="menu-accept" disabled={!desk.mask(state)} onClick={act(() => actions.run("accept"))}>
        <Icon name="check" />
        {t("key.accept")}
      </button>
      <button type="button" role="menuitemcheckbox" aria-checked={visible} onClick={act(() => desk.annotator.show(id, !visible))}>
        <Icon name={visible ? "eye" : "eye-off"} />
        {t("objects.visible", { name })}
      </button>
      <button type="button" role="menuitemcheckbox" aria-checked={locked} onClick={act(() => desk.annotator.change(id, { locked: !locked }))}>
        <Icon name={locked ? "lock" : "lock-open"} />
        {t("objects.lock", { name })}
      </button>
      <fieldset aria-label={t("objects.label", { name })}>
        {state.labels.slice(0, MOST_LABELS).map((one) => (
          <button
            type="button"
            role="menuitemradio"
            key={one.id}
            aria-checked={one.id === label}
            onClick={act(() => desk.annotator.change(id, { label: one.id }))}
          >
            <i style={{ background: one.colour }} />
            {one.name}
          </button>
        ))}
      </fieldset>
      <button type="button" role="menuitem" id="menu-delete" onClick={act(() => desk.annotator.remove(id))}>
        <Icon name="trash" />
        {t("objects.delete", { name })}
      </button>
    </>
  );
}
