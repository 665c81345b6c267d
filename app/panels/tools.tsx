// The bar beside the image: what the pointer does, undo, redo, clear, zoom.
import { currentWork, objectOf } from "../annotate/case.ts";
import { isEmpty } from "../annotate/prompts.ts";
import { currentCase, type Tool } from "../state.ts";
import type { KEYS } from "../stage/keys.ts";
import { printed } from "../stage/keys.ts";
import { planesOf } from "../open/slices.ts";
import { unitOf } from "../stage/frame.ts";
import { t } from "../words/words.ts";
import { Act, Icon, useShared } from "./parts.tsx";

const TOOLS: readonly { readonly tool: Tool; readonly icon: string; readonly command: keyof typeof KEYS | null }[] = [
  { tool: "select", icon: "select", command: "select" },
  { tool: "positive", icon: "plus", command: "point" },
  { tool: "negative", icon: "minus", command: null },
  { tool: "box", icon: "box", command: "box" },
  { tool: "brush", icon: "brush", command: "brush" },
  { tool: "eraser", icon: "eraser", command: "eraser" },
  { tool: "lasso", icon: "lasso", command: "lasso" },
  { tool: "scribble", icon: "scribble", command: "scribble" },
  { tool: "outline", icon: "outline", command: "contour" },
  { tool: "ruler", icon: "ruler", command: "ruler" },
  { tool: "axes", icon: "axes", command: "axes" },
  { tool: "cross", icon: "cross", command: null },
];

export function Tools() {
  const { desk, actions, state } = useShared();
  const of = currentCase(state);
  const work = of && currentWork(of);
  const volume = of?.shown?.slice?.volume;
  const linked = volume ? planesOf(volume).length > 1 : false;
  const nothing = !of || ((!work || isEmpty(work.prompts)) && !desk.mask(state) && !(state.tool === "axes" && objectOf(of)?.axes));
  return (
    <>
      <div class="segments" role="radiogroup" aria-label={t("tools.label")}>
        {TOOLS.filter(({ tool }) => tool !== "cross" || linked).map(({ tool, icon, command }) => (
          <label key={tool} title={command ? `${t(`tool.${tool}`)} (${printed(command, actions.keyMap)})` : t(`tool.${tool}`)}>
            <input
              type="radio"
              name="tool"
              value={tool}
              checked={state.tool === tool}
              onChange={() => desk.store.set({ tool })}
              onClick={(event) => event.detail > 0 && actions.focusStage()}
            />
            <span>
              <Icon name={icon} />
              <span class="unseen">{t(`tool.${tool}`)}</span>
            </span>
          </label>
        ))}
      </div>
      {(state.tool === "brush" || state.tool === "eraser") && of?.shown && (
        <label class="brush-size">
          <span class="unseen">{t("tools.size")}</span>
          <input
            type="range"
            id="brush"
            min="0.5"
            max="50"
            step="0.5"
            value={state.brush}
            onInput={(event) => desk.store.set({ brush: event.currentTarget.valueAsNumber })}
          />
          <output>{t("tools.size.value", { size: state.brush, unit: unitOf(of.shown).unit })}</output>
        </label>
      )}
      <div class="group">
        <Act id="undo" icon="undo" bare label={t("key.undo")} command="undo" disabled={!of || of.journal.past.length === 0} onAct={() => desk.undo()} />
        <Act id="redo" icon="redo" bare label={t("key.redo")} command="redo" disabled={!of || of.journal.future.length === 0} onAct={() => desk.redo()} />
        <Act
          id="clear"
          icon="clear"
          bare
          label={t("key.clear")}
          command="clear"
          disabled={nothing}
          onAct={() => {
            desk.clear();
            // The button is disabled now and would drop the focus.
            actions.focusStage();
          }}
        />
      </div>
      <div class="group zoom">
        <Act id="zoom-out" icon="zoom-out" bare label={t("key.zoom-out")} command="zoom-out" onAct={() => actions.run("zoom-out")} />
        <Act id="zoom-in" icon="zoom-in" bare label={t("key.zoom-in")} command="zoom-in" onAct={() => actions.run("zoom-in")} />
        <Act id="zoom-fit" icon="fit" bare label={t("key.fit")} command="fit" onAct={() => actions.run("fit")} />
      </div>
    </>
  );
}
