// On a phone held upright the panel is a sheet over the foot of the page, with three heights; the list of cases is in it, as it is held sideways.
import { useEffect, useRef, useState } from "preact/hooks";
import { byId } from "../dom.ts";
import { t } from "../words/words.ts";

const HEIGHTS = ["peek", "half", "full"] as const;
type Height = (typeof HEIGHTS)[number];

/** As in sheet.css. */
const UPRIGHT = "(max-width: 860px) and (orientation: portrait) and (min-height: 600px)";
/** As in landscape.css. */
const SIDEWAYS = "(max-width: 960px) and (max-height: 599px)";

/** CSS pixels that a finger may stray within a tap. */
const SLACK = 8;

export function SheetHandle() {
  const [height, setHeight] = useState<Height>("peek");
  const drag = useRef<{ readonly y: number; readonly from: number; moved: boolean } | null>(null);
  const panel = byId("panel", HTMLElement);

  useEffect(() => {
    const small = matchMedia(`${UPRIGHT}, ${SIDEWAYS}`);
    const cases = byId("case-list", HTMLElement);
    const place = () => {
      if (small.matches) byId("cases-slot", HTMLElement).append(cases);
      else if (cases.parentElement?.id === "cases-slot") document.querySelector("main")?.prepend(cases);
      // Turned, it begins again at what is worked on.
      panel.scrollTop = 0;
    };
    place();
    small.addEventListener("change", place);
    return () => small.removeEventListener("change", place);
  }, []);
  useEffect(() => {
    panel.dataset.sheet = height;
    if (height === "peek") panel.scrollTop = 0;
  }, [height]);

  /** The height nearest to where it was let go. */
  const drop = (pixels: number) => {
    const heights: Readonly<Record<Height, number>> = { peek: 140, half: innerHeight * 0.52, full: innerHeight - 56 };
    setHeight(HEIGHTS.reduce((best, one) => (Math.abs(heights[one] - pixels) < Math.abs(heights[best] - pixels) ? one : best)));
  };
  const at = HEIGHTS.indexOf(height);
  return (
    <button
      type="button"
      id="sheet-handle"
      class="sheet-handle"
      aria-expanded={height !== "peek"}
      aria-controls="panel"
      aria-label={t(`sheet.${height}`)}
      onClick={() => {
        if (!drag.current?.moved) setHeight(HEIGHTS[(at + 1) % HEIGHTS.length] as Height);
        drag.current = null;
      }}
      onKeyDown={(event) => {
        const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        setHeight(HEIGHTS[Math.min(2, Math.max(0, at + step))] as Height);
      }}
      onPointerDown={(event) => {
        drag.current = { y: event.clientY, from: panel.getBoundingClientRect().height, moved: false };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const held = drag.current;
        if (!held || event.buttons === 0) return;
        held.moved ||= Math.abs(event.clientY - held.y) > SLACK;
        if (held.moved) panel.style.height = `${Math.max(60, held.from + held.y - event.clientY)}px`;
      }}
      onPointerUp={(event) => {
        const held = drag.current;
        panel.style.height = "";
        if (held?.moved) drop(held.from + held.y - event.clientY);
      }}
      onPointerCancel={() => {
        panel.style.height = "";
        drag.current = null;
      }}
    />
  );
}
