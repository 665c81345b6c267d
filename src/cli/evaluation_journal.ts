// The journal a run can be resumed from: one line an image, so that an ended run loses at most the image it was at.
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import type { FirstPrompts } from "../eval/prompts.ts";
import { type CaseResult, difference, type Notice, type Problem, type Settings } from "../eval/results.ts";
import { resolveTarget } from "./output_target.ts";
import { CommandError, reasonOf } from "./usage.ts";

const FORMAT = "sam-med2d journal 2";

interface Head {
  readonly format: typeof FORMAT;
  readonly settings: Settings;
  /** `1/4` */
  readonly shard: string;
}

/** Beside the result; none where that is no file of its own. */
export async function journalOf(json: string | undefined): Promise<string | undefined> {
  if (json === undefined || json === "-") return undefined;
  return (await resolveTarget(json)).kind === "file" ? `${json}.journal` : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is JournalEntry {
  const entry = value as Partial<JournalEntry> | null | undefined;
  const lists = [entry?.cases, entry?.problems, entry?.notices, entry?.first];
  return typeof entry?.image === "string" && lists.every(Array.isArray) && typeof entry.encoded === "boolean" && typeof entry.seconds === "number";
}

/** What one image added to a run. */
export interface JournalEntry {
  readonly image: string;
  readonly cases: readonly CaseResult[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
  /** What its masks started from. */
  readonly first: readonly (readonly [mask: string, FirstPrompts])[];
  /** Whether it was encoded, and the seconds that encoding, decoding and scoring took. */
  readonly encoded: boolean;
  readonly seconds: number;
}

export class Journal {
  private constructor(
    private readonly path: string | undefined,
    /** Of an earlier run with the same settings. */
    readonly before: readonly JournalEntry[],
  ) {}

  /** Without a path nothing is kept. A journal of other settings is refused, not overwritten. */
  static async open(path: string | undefined, settings: Settings, shard: string): Promise<Journal> {
    if (path === undefined) return new Journal(undefined, []);
    const head: Head = { format: FORMAT, settings, shard };
    const text = await readFile(path, "utf8").catch((cause) => {
      if (cause.code !== "ENOENT") throw new CommandError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
      return undefined;
    });
    const written = (content: string) =>
      writeFile(path, content).catch((cause) => {
        throw new CommandError(`cannot write ${path}: ${reasonOf(cause)}`, { cause });
      });
    if (text === undefined) {
      await written(`${JSON.stringify(head)}\n`);
      return new Journal(path, []);
    }
    const [first = "", ...lines] = text.split("\n");
    const found = parsed(first) as Partial<Head> | undefined;
    if (found?.format !== FORMAT || !found.settings)
      throw new CommandError(`${path} is no journal of this version's evaluate: move it away, or name another --json`);
    const differs = difference(found.settings, settings);
    if (differs || found.shard !== shard) {
      const what = differs ? `${differs.key} ${differs.expected}, this one has ${differs.got}` : `part ${found.shard}, this one is ${shard}`;
      throw new CommandError(`${path} was left by a run with other settings (${what}): repeat that command to finish it, or delete the file`);
    }
    // A last line without its end was cut off while it was written; from a line that is damaged on, the work is done again.
    const entries = lines.slice(0, -1).map(parsed);
    const damaged = entries.findIndex((entry) => !isEntry(entry));
    const whole = (damaged < 0 ? entries : entries.slice(0, damaged)) as JournalEntry[];
    await written([head, ...whole].map((line) => `${JSON.stringify(line)}\n`).join(""));
    return new Journal(path, whole);
  }

  async add(entry: JournalEntry): Promise<void> {
    if (this.path === undefined) return;
    await appendFile(this.path, `${JSON.stringify(entry)}\n`).catch((cause) => {
      throw new CommandError(`cannot write ${this.path}: ${reasonOf(cause)}`, { cause });
    });
  }

  async remove(): Promise<void> {
    if (this.path !== undefined) await rm(this.path, { force: true });
  }
}
