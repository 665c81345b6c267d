// The report people look at: one file, nothing to load, charts drawn by its own styles.
import { MODES, type Mode } from "./modes.ts";
import { STYLE } from "./html_style.ts";
import { type Evaluation, GROUPINGS, type ModeSummary, type Summaries } from "./results.ts";
import { quantile } from "./metrics.ts";
import { baseName } from "./names.ts";

export interface Picture {
  readonly mode: Mode;
  /** `worst`, `median`, `best` */
  readonly rank: string;
  readonly mask: string;
  readonly dice: number;
  /** PNG, base64: the image with prompt, truth and prediction. */
  readonly png: string;
}

const MODE_NAMES: Readonly<Record<Mode, string>> = { box: "Box", "1": "1 point", "3": "3 points", "5": "5 points" };
const MODE_CLASSES: Readonly<Record<Mode, string>> = { box: "box", "1": "p1", "3": "p3", "5": "p5" };
const BINS = 20;
/** Bars of one chart; a dataset can name thousands of structures. */
const MOST_GROUPS = 60;

export function toHtml(evaluation: Evaluation, pictures: readonly Picture[]): string {
  const { settings, prompts, by, images, imagesPerSecond, problems, notices, cases } = evaluation;
  const modes = MODES.filter((mode) => settings.prompts.includes(mode));
  const sections = [
    section("Result", `${table(prompts, modes)}<p class="note">Below each mean its 95 % interval, from 1000 bootstrap resamples of the masks.</p>`),
    ...(problems.length > 0 ? [section(left(problems), list(problems.map(({ file, message }) => `${file}: ${message}`)), "problems")] : []),
    ...(notices.length > 0 ? [section("To know before", list(notices.map(({ file, message }) => `${file}: ${message}`)), "problems")] : []),
    section("How Dice is distributed", histograms(evaluation, modes)),
    ...(pictures.length > 0 ? [section("Worst, median and best", gallery(pictures, modes))] : []),
    ...GROUPINGS.map((grouping) => section(`Dice by ${grouping}`, bars(by[grouping], modes))),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation: ${escapeHtml(settings.dataset)}</title><style>${STYLE}</style></head>
<body><header><h1>Evaluation of ${escapeHtml(settings.dataset)}</h1><p class="clinical">Not for clinical use.</p>${facts([
    ["Masks", `${cases.length}${cases.length < settings.masks ? ` of ${settings.masks}` : ""}, on ${images} images`],
    ["Speed", `${imagesPerSecond.toFixed(2)} images/s`],
    ["First prompts", `${settings.firstPrompts}, seed ${settings.seed}`],
    ["Input", settings.input],
    ["Channel order", settings.channelOrder],
    ["Precision", settings.precision],
    ["Software", `sam-med2d-webgpu ${settings.software}`],
    ["Model", settings.model],
    ["Weights", settings.weights],
  ])}</header><main>
${sections.join("\n")}
</main></body></html>
`;
}

function section(title: string, body: string, kind = ""): string {
  return `<section${kind && ` class="${kind}"`}><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

/** The last two are long and get a line of their own. */
function facts(items: readonly (readonly [name: string, value: string])[]): string {
  const entry = ([name, value]: readonly [string, string], i: number) =>
    `<div${i >= items.length - 2 ? ' class="wide"' : ""}><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`;
  return `<dl class="facts">${items.map(entry).join("")}</dl>`;
}

function left(problems: Evaluation["problems"]): string {
  const masks = problems.reduce((sum, { indices }) => sum + indices.length, 0);
  return `${counted(problems.length, "file")} could not be used, ${counted(masks, "mask")} left out`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function table(summaries: Summaries, modes: readonly Mode[]): string {
  const metric = ({ mean, median, ci95 }: ModeSummary["dice"]) =>
    `<td><b>${percent(mean)}</b><small>${percent(ci95[0])} – ${percent(ci95[1])}</small><small>median ${percent(median)}</small></td>`;
  const rows = modes.flatMap((mode) => {
    const summary = summaries[mode];
    if (!summary) return [];
    return [`<tr><th scope="row">${key(mode)}</th>${metric(summary.dice)}${metric(summary.iou)}<td>${summary.n}</td></tr>`];
  });
  const head = ["Prompt", "Dice %", "IoU %", "masks"].map((cell) => `<th scope="col">${cell}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function key(mode: Mode): string {
  return `<span class="key ${MODE_CLASSES[mode]}">${MODE_NAMES[mode]}</span>`;
}

/** One for each mode, all to one scale. */
function histograms({ cases }: Evaluation, modes: readonly Mode[]): string {
  const plots = modes.map((mode) => {
    const values = cases.flatMap(({ scores }) => scores[mode]?.dice ?? []);
    const counts = new Array<number>(BINS).fill(0);
    for (const value of values) {
      const bin = Math.min(BINS - 1, Math.floor(value * BINS));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return { mode, values, counts };
  });
  const highest = Math.max(1, ...plots.flatMap(({ counts }) => counts));
  const drawn = plots.map(({ mode, values, counts }) => {
    const bins = counts.map((count, i) => {
      const what = `Dice ${(i / BINS).toFixed(2)} to ${((i + 1) / BINS).toFixed(2)}: ${counted(count, "mask")}`;
      return `<i style="height:${((count / highest) * 100).toFixed(1)}%" title="${what}"></i>`;
    });
    const median = values.length > 0 ? quantile(values, 0.5) : undefined;
    const line = median === undefined ? "" : `<u style="left:${(median * 100).toFixed(1)}%"></u>`;
    const words = median === undefined ? "no masks" : `median ${percent(median)} %`;
    return `<div class="plot ${MODE_CLASSES[mode]}"><h3>${key(mode)} <small>${words}</small></h3><div class="bins" role="img" aria-label="Histogram of Dice, ${words}">${bins.join("")}${line}</div><div class="ticks"><span>0</span><span>50</span><span>100 %</span></div></div>`;
  });
  return `<div class="plots">${drawn.join("")}</div><p class="note">All to one scale: the highest bar is ${counted(highest, "mask")}. The dashed line is the median.</p>`;
}

function gallery(pictures: readonly Picture[], modes: readonly Mode[]): string {
  const figure = ({ rank, mask, dice, png }: Picture) => {
    const name = escapeHtml(baseName(mask).replace(/\.[^.]*$/, ""));
    return `<figure><img alt="${rank} case: ${name}" src="data:image/png;base64,${png}"><figcaption><b>${rank}, Dice ${percent(dice)} %</b>${name}</figcaption></figure>`;
  };
  const rows = modes.map((mode) => {
    const here = pictures.filter((picture) => picture.mode === mode);
    return `<div class="cases"><h3>${key(mode)}</h3><div class="row">${here.map(figure).join("")}</div></div>`;
  });
  const legend = [
    ["found", "prediction"],
    ["truth", "truth"],
    ["given", "box given"],
    ["in", "point inside"],
    ["out", "point outside"],
  ].map(([kind, words]) => `<span class="${kind}">${words}</span>`);
  return `<p class="legend">${legend.join("")}</p>${rows.join("")}`;
}

/** Bars of mean Dice with their intervals, the groups with most masks first. */
function bars(groups: Readonly<Record<string, Summaries>>, modes: readonly Mode[]): string {
  const size = (summaries: Summaries) => Math.max(0, ...modes.map((mode) => summaries[mode]?.n ?? 0));
  const shown = Object.entries(groups)
    .sort((a, b) => size(b[1]) - size(a[1]))
    .slice(0, MOST_GROUPS);
  const bar = (mode: Mode, { dice, n }: ModeSummary) => {
    const [low, high] = dice.ci95;
    const words = n > 1 ? ` title="95 % interval ${percent(low)} – ${percent(high)}"` : "";
    const interval = n > 1 ? `<u style="left:${share(low)};right:${share(1 - high)}"></u>` : "";
    return `<div class="bar ${MODE_CLASSES[mode]}"${words}><span>${MODE_NAMES[mode]}</span><span class="track"><i style="width:${share(dice.mean)}"></i>${interval}</span><span>${percent(dice.mean)}</span></div>`;
  };
  const parts = shown.map(([name, summaries]) => {
    const drawn = modes.flatMap((mode) => {
      const summary = summaries[mode];
      return summary && Number.isFinite(summary.dice.mean) ? [bar(mode, summary)] : [];
    });
    return `<div class="group"><h3>${escapeHtml(name)} <small>${counted(size(summaries), "mask")}</small></h3>${drawn.join("")}</div>`;
  });
  const leftOut = Object.keys(groups).length - shown.length;
  return `<div class="groups">${parts.join("")}</div>${leftOut > 0 ? `<p class="note">${leftOut} smaller groups are in the JSON.</p>` : ""}`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
}

function share(value: number): string {
  return `${(value * 100).toFixed(1)}%`;
}

function percent(share: number): string {
  return Number.isFinite(share) ? (share * 100).toFixed(2) : "–";
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
