// The bar under the image: what a click sets, undo, redo, clear, zoom; and the keys that work anywhere.
import type { Desk } from "../desk.ts";
import { byId } from "../dom.ts";
import { commandOf, type Focus } from "../stage/keyboard.ts";
import { isEmpty } from "../annotate/session.ts";
import type { StageController } from "../stage/stage_controller.ts";
import { currentStudy, type Mode, type State } from "../state.ts";

export function startToolbar(desk: Desk, controller: StageController, help: HTMLDialogElement): void {
  const { stage } = controller;
  const undo = byId("undo", HTMLButtonElement);
  const redo = byId("redo", HTMLButtonElement);
  const clear = byId("clear", HTMLButtonElement);
  undo.addEventListener("click", () => desk.undo());
  redo.addEventListener("click", () => desk.redo());
  clear.addEventListener("click", () => {
    desk.clear();
    // The button is disabled now and would drop the focus.
    controller.focus();
  });
  byId("zoom-in", HTMLButtonElement).addEventListener("click", () => stage.zoom(1.4));
  byId("zoom-out", HTMLButtonElement).addEventListener("click", () => stage.zoom(1 / 1.4));
  byId("zoom-fit", HTMLButtonElement).addEventListener("click", () => stage.fitWhole());
  byId("help-open", HTMLButtonElement).addEventListener("click", () => help.showModal());

  const modes = [...byId("tools", HTMLElement).querySelectorAll<HTMLInputElement>("input[name=mode]")];
  for (const input of modes) input.addEventListener("change", () => desk.store.set({ mode: input.value as Mode }));

  addEventListener("keydown", (event) => {
    if (help.open || event.isComposing || event.defaultPrevented) return;
    const command = commandOf(event, focusOf(event.target as Element));
    if (!command) return;
    event.preventDefault();
    if (command.do === "undo") desk.undo();
    else if (command.do === "redo") desk.redo();
    else if (command.do === "help") help.showModal();
    else controller.carryOut(command);
  });

  desk.store.subscribe((state: State) => {
    const session = currentStudy(state)?.session;
    undo.disabled = !session || session.past.length === 0;
    redo.disabled = !session || session.future.length === 0;
    clear.disabled = !session || isEmpty(session.now);
    for (const input of modes) input.checked = input.value === state.mode;
  });
}

function focusOf(target: Element): Focus {
  if (target.id === "stage") return "stage";
  if (target.matches("input:not([type=radio], [type=checkbox], [type=range], [type=file]), select, textarea, [contenteditable]")) return "text";
  return target.closest("button, input, label, summary, a, dialog") ? "control" : "nothing";
}
