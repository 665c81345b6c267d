// The list of cases: quick with ten thousand, since only the rows that are seen are there.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Case, hasWork, STATUSES, type Status } from "../annotate/case.ts";
import { closedSamples } from "../open/samples.ts";
import { openSet, SETS } from "../open/sets.ts";
import { listedCases } from "../state.ts";
import { t } from "../words/words.ts";
import { formatBytes } from "../model/transfer_rate.ts";
import { hasFolders } from "../keep/folders.ts";
import { Act, Icon, middleCut, useShared } from "./parts.tsx";

const ROW = 52;
const SIDE = 42;
/** Rows beyond what is seen, so that scrolling shows no gaps. */
const SPARE = 6;

const SIGNS: Readonly<Record<Status, string>> = { todo: "○", doing: "◐", done: "●", flagged: "⚑" };

export function Cases() {
  const { desk, actions, state } = useShared();
  const { cases, filter, search, current } = state;
  const listed = listedCases(state);
  const list = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const at = listed.findIndex(({ id }) => id === current);

  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  // The case that is shown is in sight.
  useEffect(() => {
    const element = list.current;
    if (!element || at < 0) return;
    if (at * ROW < element.scrollTop) element.scrollTop = at * ROW;
    else if ((at + 1) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (at + 1) * ROW - element.clientHeight;
  }, [current, at]);

  const own = cases.filter(({ origin }) => origin === "file");
  const counted = own.length > 0 ? own : cases;
  const done = counted.filter(({ status }) => status === "done").length;
  const bytes = own.reduce((sum, { id, files }) => sum + (files ? 0 : (desk.opening.sources.get(id) ?? []).reduce((all, { size }) => all + size, 0)), 0);
  const first = Math.max(0, Math.floor(seen.top / ROW) - SPARE);
  const last = Math.min(listed.length, Math.ceil((seen.top + seen.height) / ROW) + SPARE);
  return (
    <>
      <label class="open">
        <input
          type="file"
          id="open-image"
          class="unseen"
          multiple
          onChange={(event) => {
            const input = event.currentTarget;
            void desk.opening.files([...(input.files ?? [])]);
            // So that the same file can be chosen again.
            input.value = "";
          }}
        />
        <span>
          <Icon name="open" />
          {t("open.images")}
        </span>
      </label>
      <label class="open">
        <input
          type="file"
          id="open-folder"
          class="unseen"
          {...{ webkitdirectory: true }}
          onClick={(event) => {
            if (!hasFolders()) return;
            event.preventDefault();
            void actions.onFolder();
          }}
          onChange={(event) => {
            void desk.opening.files([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
        <span>
          <Icon name="folder" />
          {t("open.folder")}
        </span>
      </label>
      <details class="sets" id="sets">
        <summary>{t("sets.title")}</summary>
        {SETS.map((set) => (
          <Act
            key={set}
            id={`set-${set}`}
            class="quiet"
            label={t(`sets.${set}`)}
            onAct={() => void openSet(desk, set).catch((error) => desk.problems.show(error))}
          />
        ))}
        {closedSamples().length > 0 && <Act id="set-samples" class="quiet" label={t("sets.samples")} onAct={() => actions.onSamples()} />}
      </details>
      <p class="progress" id="progress">
        {t("cases.progress", { done, all: counted.length })}
      </p>
      {own.length > 0 && (
        <div class="row keep">
          {bytes > 0 && <Act id="keep-images" label={t("keep.images", { size: formatBytes(bytes) })} onAct={() => void actions.keepImages()} />}
          <Act id="forget" class="quiet" label={t("keep.forget")} onAct={() => confirm(t("keep.forget.ask")) && void actions.onForget()} />
        </div>
      )}
      {cases.length > 8 && (
        <div class="filter">
          <select aria-label={t("cases.filter")} value={filter} onChange={(event) => desk.store.set({ filter: event.currentTarget.value as Status | "all" })}>
            {(["all", ...STATUSES] as const).map((value) => (
              <option key={value} value={value}>
                {t(`status.${value}`)}
              </option>
            ))}
          </select>
          <input
            type="search"
            aria-label={t("cases.search")}
            placeholder={t("cases.search")}
            value={search}
            onInput={(event) => desk.store.set({ search: event.currentTarget.value })}
          />
        </div>
      )}
      <div class="rows" id="cases" ref={list} onScroll={({ currentTarget }) => setSeen({ top: currentTarget.scrollTop, height: currentTarget.clientHeight })}>
        <ul style={{ height: `${listed.length * ROW}px` }} aria-label={t("cases.list")}>
          {listed.slice(first, last).map((of, i) => (
            <Row key={of.id} of={of} top={(first + i) * ROW} place={first + i + 1} all={listed.length} />
          ))}
        </ul>
      </div>
    </>
  );
}

function Row({ of, top, place, all }: { readonly of: Case; readonly top: number; readonly place: number; readonly all: number }) {
  const { desk, state } = useShared();
  const { id, name, status, note } = of;
  const worked = hasWork(of) ? t("case.hasprompts") : "";
  return (
    <li class="row-of" aria-setsize={all} aria-posinset={place} style={{ top: `${top}px` }}>
      <button
        type="button"
        class="case"
        title={name}
        aria-label={`${name}, ${t(`status.${status}`)}${worked}`}
        aria-current={id === state.current ? "true" : undefined}
        onClick={(event) => {
          desk.select(id);
          if (event.detail > 0) document.getElementById("stage")?.focus({ preventScroll: true });
        }}
      >
        <Thumb of={of} />
        <span class="name">
          {middleCut(name, 24)}
          {note && <small>{note}</small>}
        </span>
        <span class="sign" data-status={status} aria-hidden="true">
          {SIGNS[status]}
        </span>
      </button>
      <Act bare icon="clear" class="close" label={t("case.close.name", { name })} onAct={() => desk.close(id)} />
    </li>
  );
}

function Thumb({ of }: { readonly of: Case }) {
  const { desk, state } = useShared();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef("");
  const [, again] = useState(0);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    const stamp = `${of.id} ${state.surfaces}`;
    if (!context || drawn.current === stamp) return;
    const picture = desk.opening.thumbnail(of, SIDE * 2, () => again((n) => n + 1));
    if (!picture) return;
    context.drawImage(picture, 0, 0, SIDE * 2, SIDE * 2);
    drawn.current = stamp;
  });
  return <canvas ref={canvas} width={SIDE * 2} height={SIDE * 2} />;
}
