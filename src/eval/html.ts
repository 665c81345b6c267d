// The report people look at: one file, nothing to load, charts as inline SVG.
import { MODES, type Mode } from "./modes.ts";
import { type Evaluation, GROUPINGS, type Summaries } from "./results.ts";

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
const COLOURS: Readonly<Record<Mode, string>> = { box: "#3b7dd8", "1": "#d8843b", "3": "#4aa564", "5": "#9b59b6" };
const BINS = 20;
/** Bars of one chart; a dataset can name thousands of structures. */
const MOST_GROUPS = 60;

export function toHtml(evaluation: Evaluation, pictures: readonly Picture[]): string {
  const { settings, prompts, by, images, imagesPerSecond, problems, cases } = evaluation;
  const modes = MODES.filter((mode) => settings.prompts.includes(mode));
  const facts = [
    `${cases.length} masks of ${images} images`,
    settings.model,
    `weights ${settings.weights}`,
    `seed ${settings.seed}`,
    `first prompts ${settings.firstPrompts}`,
    `channel order ${settings.channelOrder}`,
    `${imagesPerSecond.toFixed(2)} images/s`,
  ];
  const sections = [
    section("Result", `${table(prompts, modes)}<p>Intervals are 95 % of 1000 bootstrap resamples of the masks.</p>`),
    section(
      "Distribution of Dice",
      modes
        .map((mode) =>
          histogram(
            mode,
            cases.flatMap(({ scores }) => scores[mode]?.dice ?? []),
          ),
        )
        .join(""),
    ),
    ...(pictures.length > 0 ? [section("Cases", gallery(pictures))] : []),
    ...(problems.length > 0 ? [section("Files that could not be used", list(problems.map(({ file, message }) => `${file}: ${message}`)))] : []),
    ...GROUPINGS.map((grouping) => section(`Dice by ${grouping}`, bars(by[grouping], modes))),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation: ${escapeHtml(settings.dataset)}</title><style>${STYLE}</style></head>
<body><h1>Evaluation of ${escapeHtml(settings.dataset)}</h1><p>${facts.map(escapeHtml).join(" · ")}</p>
${sections.join("\n")}
<p>Not for clinical use.</p></body></html>
`;
}

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.25rem .75rem;border-bottom:1px solid #8884;text-align:right}td:first-child,th:first-child{text-align:left}
svg{max-width:100%;height:auto}svg text{fill:currentColor;font:12px system-ui,sans-serif}.gallery{display:flex;flex-wrap:wrap;gap:1rem}
figure{margin:0;width:240px}figure img{width:100%;image-rendering:pixelated;border:1px solid #8884}figcaption{font-size:13px;overflow-wrap:anywhere}`;

function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

function table(summaries: Summaries, modes: readonly Mode[]): string {
  const rows = modes.flatMap((mode) => {
    const summary = summaries[mode];
    if (!summary) return [];
    const cells = [summary.dice, summary.iou].flatMap(({ mean, median, ci95 }) => [
      percent(mean),
      `${percent(ci95[0])} – ${percent(ci95[1])}`,
      percent(median),
    ]);
    return [`<tr><td>${MODE_NAMES[mode]}</td>${[...cells, String(summary.n)].map((cell) => `<td>${cell}</td>`).join("")}</tr>`];
  });
  const head = ["Prompt", "Dice %", "95 %", "median", "IoU %", "95 %", "median", "masks"].map((cell) => `<th>${cell}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/** Horizontal bars of mean Dice with their intervals, the groups with most masks first. */
function bars(groups: Readonly<Record<string, Summaries>>, modes: readonly Mode[]): string {
  const size = (summaries: Summaries) => Math.max(0, ...modes.map((mode) => summaries[mode]?.n ?? 0));
  const shown = Object.entries(groups)
    .sort((a, b) => size(b[1]) - size(a[1]))
    .slice(0, MOST_GROUPS);
  const bar = 14;
  const left = 240;
  const scale = 560;
  let y = 0;
  const parts: string[] = [];
  for (const [name, summaries] of shown) {
    parts.push(`<text x="0" y="${y + bar}">${escapeHtml(name.slice(0, 30))} (${size(summaries)})</text>`);
    for (const mode of modes) {
      const dice = summaries[mode]?.dice;
      if (!dice || !Number.isFinite(dice.mean)) continue;
      const [low, high] = dice.ci95;
      const middle = y + bar / 2;
      parts.push(`<rect x="${left}" y="${y + 1}" width="${at(dice.mean, scale)}" height="${bar - 2}" fill="${COLOURS[mode]}"/>`);
      parts.push(`<line x1="${left + at(low, scale)}" x2="${left + at(high, scale)}" y1="${middle}" y2="${middle}" stroke="currentColor"/>`);
      parts.push(`<text x="${left + scale + 8}" y="${y + bar - 2}">${percent(dice.mean)} ${MODE_NAMES[mode]}</text>`);
      y += bar;
    }
    y += 8;
  }
  const leftOut = Object.keys(groups).length - shown.length;
  const note = leftOut > 0 ? `<p>${leftOut} smaller groups are in the JSON.</p>` : "";
  return `<svg viewBox="0 0 940 ${y}" width="940" height="${y}" role="img">${parts.join("")}</svg>${note}`;
}

function histogram(mode: Mode, values: readonly number[]): string {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor(value * BINS));
    counts[bin] = (counts[bin] as number) + 1;
  }
  const highest = Math.max(1, ...counts);
  const rects = counts.map((count, i) => {
    const height = (count / highest) * 90;
    return `<rect x="${i * 12}" y="${100 - height}" width="11" height="${height}" fill="${COLOURS[mode]}"><title>${(i / BINS).toFixed(2)} to ${((i + 1) / BINS).toFixed(2)}: ${count}</title></rect>`;
  });
  const axis = `<line x1="0" x2="240" y1="100" y2="100" stroke="currentColor"/><text x="0" y="114">0</text><text x="232" y="114">1</text>`;
  return `<svg viewBox="-4 -14 252 132" width="252" height="132" role="img"><text x="0" y="-2">${MODE_NAMES[mode]}</text>${rects.join("")}${axis}</svg>`;
}

function gallery(pictures: readonly Picture[]): string {
  const figures = pictures.map(
    ({ mode, rank, mask, dice, png }) =>
      `<figure><img alt="" src="data:image/png;base64,${png}"><figcaption>${MODE_NAMES[mode]}, ${rank}: Dice ${percent(dice)} %<br>${escapeHtml(mask)}</figcaption></figure>`,
  );
  return `<p>Prediction tinted blue, truth outlined in yellow.</p><div class="gallery">${figures.join("")}</div>`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
}

function at(share: number, scale: number): string {
  return (share * scale).toFixed(1);
}

function percent(share: number): string {
  return Number.isFinite(share) ? (share * 100).toFixed(2) : "–";
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
