// What an evaluation leaves behind: JSON, CSV and HTML, and the table a person reads.
import { type Picture, toHtml } from "../eval/html.ts";
import { type Evaluation, toCsv } from "../eval/results.ts";
import type { Environment } from "./environment.ts";
import { writeAll } from "./outputs.ts";
import type { Terminal } from "./terminal.ts";
import { CommandError, EXIT } from "./usage.ts";

export interface ReportOptions {
  readonly json?: string;
  readonly csv?: string;
  readonly html?: string;
}

export function reportFiles({ json, csv, html }: ReportOptions): Record<string, string | undefined> {
  return { "--json": json === "-" ? undefined : json, "--csv": csv, "--html": html };
}

export async function writeReports(
  result: Evaluation,
  { json, csv, html }: ReportOptions,
  pictures: readonly Picture[],
  { stdout }: Environment,
  signal: AbortSignal,
  more: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const files = new Map<string, string>(more);
  if (json && json !== "-") files.set(json, text);
  if (csv) files.set(csv, toCsv(result));
  if (html) files.set(html, toHtml(result, pictures));
  await writeAll(files, signal);
  if (json === "-") stdout.write(text);
}

/** The table, on stdout unless JSON is there; a problem makes the command fail after everything is written. */
export function summarise(result: Evaluation, { json }: ReportOptions, { stdout }: Environment, terminal: Terminal): void {
  terminal.clear();
  const masks = result.problems.reduce((sum, { indices }) => sum + indices.length, 0);
  if (result.cases.length === 0) {
    if (masks > 0) throw new CommandError(`nothing could be scored: all ${masks} masks were left out (why is named above and in the result)`);
    terminal.say("sam-med2d: this part of the dataset has no images");
    return;
  }
  const lines = result.settings.prompts.flatMap((mode) => {
    const summary = result.prompts[mode];
    if (!summary) return [];
    const metric = ({ mean, median, ci95 }: typeof summary.dice) => `${percent(mean)} [${percent(ci95[0])}, ${percent(ci95[1])}] median ${percent(median)}`;
    const name = mode === "box" ? "box" : `${mode} pt`;
    return [
      `${name.padEnd(5)} Dice ${metric(summary.dice)}   IoU ${metric(summary.iou)}   boundary F ${percent(summary.boundary.mean)}, ${summary.parts.toFixed(2)} parts   ${summary.n} masks`,
    ];
  });
  if (result.baselines) {
    const { ellipse, disc } = result.baselines;
    lines.push(`without a network: ellipse in the box Dice ${percent(ellipse.mean)}, disc of radius ${disc.radius} around the point ${percent(disc.mean)}`);
  }
  lines.push(`${result.images} images, ${result.imagesPerSecond.toFixed(2)} images/s`);
  if (json === "-") terminal.say(lines.join("\n"));
  else stdout.write(`${lines.join("\n")}\n`);
  if (result.problems.length === 0) return;
  throw new CommandError(
    `${result.problems.length} files could not be used, ${masks} masks were left out (named above and in the result): exit code ${EXIT.failed}`,
  );
}

function percent(share: number): string {
  return (share * 100).toFixed(2);
}
