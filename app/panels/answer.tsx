// What the model says: candidate masks to choose from, and the prompts that led there.
import { useEffect, useRef } from "preact/hooks";
import { currentWork, objectOf } from "../annotate/case.ts";
import { colourOf } from "../annotate/labels.ts";
import type { Result } from "../model/inference.ts";
import { currentCase } from "../state.ts";
import { tinted } from "../stage/overlay.ts";
import { decimal, t } from "../words/words.ts";
import { Icon, useShared } from "./parts.tsx";

const THUMB = 132;
/** Prompts of which the list stays short. */
const FEW = 6;

export function Candidates() {
  const { desk, state } = useShared();
  const of = currentCase(state);
  const answer = desk.answer(state);
  const hidden = !answer || answer.result.count < 2;
  return (
    <div class="candidates" id="candidates" role="radiogroup" aria-label={t("candidates.label")} hidden={hidden}>
      {!hidden &&
        [...answer.result.scores].map((predicted, index) => {
          const score = decimal(predicted, 2);
          return (
            <label class="candidate" key={`${index}`}>
              <input
                type="radio"
                name="candidate"
                value={index}
                checked={index === answer.index}
                aria-label={t("candidates.one", { n: index + 1, score })}
                onChange={() => desk.choose(index)}
              />
              <span>
                <Preview
                  result={answer.result}
                  index={index}
                  colour={state.labels.find(({ id }) => id === (of && objectOf(of)?.label))?.colour ?? colourOf(1)}
                />
                <b>
                  {index + 1}
                  <i>{score}</i>
                </b>
              </span>
            </label>
          );
        })}
    </div>
  );
}

function Preview({ result, index, colour }: { readonly result: Result; readonly index: number; readonly colour: string }) {
  const { state } = useShared();
  const ref = useRef<HTMLCanvasElement>(null);
  const shown = currentCase(state)?.shown;
  useEffect(() => {
    const context = ref.current?.getContext("2d");
    if (!context || !shown) return;
    const { canvas, picture } = shown;
    const scale = THUMB / Math.max(picture.width, picture.height);
    const small = context.canvas;
    small.width = Math.max(1, Math.round(picture.width * scale));
    small.height = Math.max(1, Math.round(picture.height * scale));
    context.globalAlpha = 0.55;
    context.drawImage(canvas, 0, 0, small.width, small.height);
    context.globalAlpha = 0.85;
    context.drawImage(tinted(result, index, small.width, small.height, colour), 0, 0);
  }, [result, index, colour, shown?.id, state.surfaces]);
  return <canvas ref={ref} width={THUMB} height={THUMB} />;
}

export function PromptList() {
  const { desk, actions, state } = useShared();
  const root = useRef<HTMLUListElement>(null);
  const of = currentCase(state);
  const { points, box } = of ? currentWork(of).prompts : { points: [], box: null };
  /** What had the focus is gone: the one in its place has it then, else the last one, else the image. */
  const removing = (index: number, remove: () => void) => () => {
    remove();
    queueMicrotask(() => {
      const left = [...(root.current?.querySelectorAll("button") ?? [])];
      const next = left[Math.min(index, left.length - 1)];
      if (next) next.focus();
      else actions.focusStage();
    });
  };
  const items = [
    ...(box
      ? [
          {
            kind: "box",
            at: "box" as const,
            text: `${box[0]}, ${box[1]} – ${box[2]}, ${box[3]}`,
            name: t("prompts.remove.box"),
            remove: () => desk.removeBox(),
          },
        ]
      : []),
    ...points.map(({ x, y, label }, index) => {
      const kind = label === 1 ? "positive" : "negative";
      return { kind, at: index, text: `${x}, ${y}`, name: t(`prompts.remove.${kind}`, { x, y }), remove: () => desk.removePoint(index) };
    }),
  ];
  const list = (
    <ul class="prompts" id="prompts" aria-label={t("prompts.label")} ref={root}>
      {items.map(({ kind, at, text, name, remove }, index) => (
        <li
          data-kind={kind}
          data-pointed={state.pointed === at || undefined}
          key={`${kind} ${text}`}
          onPointerEnter={() => desk.pointAt(at)}
          onPointerLeave={() => desk.pointAt(null)}
          onFocusIn={() => desk.pointAt(at)}
          onFocusOut={() => desk.pointAt(null)}
        >
          {text}
          <button type="button" aria-label={name} onClick={removing(index, remove)}>
            <Icon name="clear" />
          </button>
        </li>
      ))}
    </ul>
  );
  if (items.length <= FEW) return list;
  const positive = points.filter(({ label }) => label === 1).length;
  return (
    <details class="many">
      <summary>{t("prompts.many", { positive, negative: points.length - positive })}</summary>
      {list}
    </details>
  );
}
