// The roofline: speed over arithmetic intensity of every dispatch, under what the device was measured to do at best.
import { digits, percent, time } from "../src/bench/numbers.ts";
import type { BenchReport, KernelReport } from "../src/bench/report.ts";
import { make, shape } from "./dom.ts";

const MARGIN = { left: 58, right: 14, top: 14, bottom: 44 };
/** Ops with a colour of their own, by their share of the time; the others share the last one. */
const COLOURS = 6;

interface Scale {
  readonly low: number;
  readonly high: number;
  at(value: number): number;
}

function logScale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return { low, high, at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) };
}

/** Colour class of each op. */
export function opColours(kernels: readonly KernelReport[]): ReadonlyMap<string, string> {
  const shares = new Map<string, number>();
  for (const { op, share } of kernels) shares.set(op, (shares.get(op) ?? 0) + share);
  const ops = [...shares].sort((a, b) => b[1] - a[1]).map(([op]) => op);
  return new Map(ops.map((op, i) => [op, `c${Math.min(i, COLOURS)}`]));
}

export function showLegend(place: HTMLElement, colours: ReadonlyMap<string, string>): void {
  const named = [...colours].filter(([, className]) => className !== `c${COLOURS}`);
  const items = named.map(([op, className]) => make("span", { className }, op));
  if (named.length < colours.size) items.push(make("span", { className: `c${COLOURS}` }, "other"));
  place.replaceChildren(...items);
}

function axes(x: Scale, y: Scale, width: number, height: number): SVGElement[] {
  const label = (power: number) => (power >= -3 && power <= 4 ? `${10 ** power}` : `1e${power}`);
  const powers = ({ low, high }: Scale) => Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const bottom = height - MARGIN.bottom;
  return [
    ...powers(x).flatMap((power) => [
      shape("line", { class: "grid", x1: x.at(10 ** power), x2: x.at(10 ** power), y1: MARGIN.top, y2: bottom }),
      shape("text", { x: x.at(10 ** power), y: bottom + 17, "text-anchor": "middle" }, label(power)),
    ]),
    ...powers(y).flatMap((power) => [
      shape("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y.at(10 ** power), y2: y.at(10 ** power) }),
      shape("text", { x: MARGIN.left - 8, y: y.at(10 ** power) + 4, "text-anchor": "end" }, label(power)),
    ]),
    shape("text", { x: width - MARGIN.right, y: height - 6, "text-anchor": "end" }, "FLOP per byte"),
    shape("text", { x: 12, y: MARGIN.top + 4, transform: `rotate(-90 12 ${MARGIN.top + 4})`, "text-anchor": "end" }, "GFLOP/s"),
  ];
}

/** One line of words for a dispatch. */
function words({ label, op, shape: size, time: t, share, gflops, gbs, ofFloor }: KernelReport): string {
  return `${label}: ${op} ${size}, ${time(t.median)}, ${percent(share)} of the time, ${digits(gflops)} GFLOP/s, ${digits(gbs)} GB/s, ${percent(ofFloor)} of what the device can do.`;
}

export function showRoofline(place: HTMLElement, kernels: readonly KernelReport[], peaks: BenchReport["peaks"], colours: ReadonlyMap<string, string>): void {
  const width = Math.max(300, place.clientWidth);
  const height = Math.round(Math.min(460, Math.max(300, width * 0.42)));
  const shown = kernels.filter(({ flop, gflops }) => flop > 0 && gflops > 0).sort((a, b) => b.share - a.share);
  const intensity = ({ flop, bytes }: KernelReport) => flop / bytes;
  place.replaceChildren();
  if (shown.length === 0) return;
  const ridge = peaks.gflops / peaks.gbs;
  const x = logScale([...shown.map(intensity), ridge * 2], MARGIN.left, width - MARGIN.right);
  const y = logScale([...shown.map(({ gflops }) => gflops), peaks.gflops], height - MARGIN.bottom, MARGIN.top);
  // The slope enters at the left edge or at the bottom one, whichever it meets first.
  const start = Math.max(10 ** x.low, 10 ** y.low / peaks.gbs);
  const points = [
    [start, start * peaks.gbs],
    [ridge, peaks.gflops],
    [10 ** x.high, peaks.gflops],
  ] as const;
  const roof = points.map(([a, b], i) => `${i === 0 ? "M" : "L"}${x.at(a).toFixed(1)} ${y.at(b).toFixed(1)}`).join("");
  const told = make("p", { className: "soft" }, "Point at a circle, or use the Tab key, to read it.");
  const dots = shown.map((kernel) => {
    const dot = shape("circle", {
      class: colours.get(kernel.op) ?? "",
      cx: x.at(intensity(kernel)).toFixed(1),
      cy: y.at(kernel.gflops).toFixed(1),
      r: Math.max(3.5, Math.sqrt(kernel.share) * 46).toFixed(1),
      tabindex: 0,
      role: "img",
      "aria-label": words(kernel),
    });
    for (const event of ["pointerenter", "focus"]) {
      dot.addEventListener(event, () => {
        told.textContent = words(kernel);
      });
    }
    return dot;
  });
  place.replaceChildren(
    shape(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Roofline of ${shown.length} dispatches` },
      ...axes(x, y, width, height),
      shape("path", { class: "roof", d: roof }),
      shape("text", { x: width - MARGIN.right, y: y.at(peaks.gflops) - 6, "text-anchor": "end" }, `${digits(peaks.gflops)} GFLOP/s, ${digits(peaks.gbs)} GB/s`),
      ...dots,
    ),
    told,
  );
}
