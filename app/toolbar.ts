// The bar under the image: what a click sets, undo, redo, clear, zoom; and the keys that work anywhere.
import type { Desk } from "./desk.ts";
import { byId } from "./dom.ts";
import { pageCommand } from "./keyboard.ts";
import { isEmpty } from "./session.ts";
import type { Stage } from "./stage.ts";
import { currentStudy, type Mode, type State } from "./state.ts";

export function startToolbar(desk: Desk, stage: Stage, help: HTMLDialogElement): void {
  const undo = byId("undo", HTMLButtonElement);
  const redo = byId("redo", HTMLButtonElement);
  const clear = byId("clear", HTMLButtonElement);
  undo.addEventListener("click", () => desk.undo());
  redo.addEventListener("click", () => desk.redo());
  clear.addEventListener("click", () => desk.clear());
  byId("zoom-in", HTMLButtonElement).addEventListener("click", () => stage.zoom(1.4));
  byId("zoom-out", HTMLButtonElement).addEventListener("click", () => stage.zoom(1 / 1.4));
  byId("zoom-fit", HTMLButtonElement).addEventListener("click", () => stage.fitWhole());
  byId("help-open", HTMLButtonElement).addEventListener("click", () => help.showModal());

  const modes = [...byId("tools", HTMLElement).querySelectorAll<HTMLInputElement>("input[name=mode]")];
  for (const input of modes) input.addEventListener("change", () => desk.store.set({ mode: input.value as Mode }));

  addEventListener("keydown", (event) => {
    const target = event.target as Element;
    if (help.open || target.matches("input:not([type=radio], [type=checkbox], [type=range], [type=file]), select, textarea")) return;
    const command = pageCommand(event);
    if (!command) return;
    event.preventDefault();
    if (command.do === "undo") desk.undo();
    if (command.do === "redo") desk.redo();
    if (command.do === "help") help.showModal();
  });

  desk.store.subscribe((state: State) => {
    const session = currentStudy(state)?.session;
    undo.disabled = !session || session.past.length === 0;
    redo.disabled = !session || session.future.length === 0;
    clear.disabled = !session || isEmpty(session.now);
    for (const input of modes) input.checked = input.value === state.mode;
  });
}
