// The documentation's commands, as the program takes them: every command line parses, and each option is described where its command is.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { program } from "../../src/cli/program.ts";
import { DECODE, ENCODE, LOAD } from "../../src/sam_options.ts";

const ROOT = join(import.meta.dirname, "../..");
const { markdown } = (await import(/* @vite-ignore */ `${ROOT}/scripts/check_docs.mjs`)) as { markdown(): string[] };

/** The program with commands that do nothing. */
function idle(): Command {
  const nobody = () => {
    throw new Error("not to be asked");
  };
  const root = program({
    stdout: { write: () => true },
    stderr: { write: () => true },
    signal: new AbortController().signal,
    debug: false,
    loadModel: nobody,
  } as never);
  const still = (command: Command) => {
    command.action(() => undefined);
    command.commands.forEach(still);
  };
  root.commands.forEach(still);
  return root;
}

const LINES = markdown().flatMap((name) =>
  [...readFileSync(join(ROOT, name), "utf8").matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .flatMap(([, language, code]) => (language === "" || language === "bash" ? (code ?? "").split("\n") : []))
    .flatMap((line) => {
      const [, words] = /^\s*(?:npx )?sam-med2d ([a-z][^#]*)/.exec(line) ?? [];
      return words ? [{ name, words: (words.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', "")) }] : [];
    }),
);

describe("command lines of the documentation", () => {
  // As a task of Slurm's array sees it.
  beforeAll(() => {
    for (const [name, value] of Object.entries({ ID: "1", COUNT: "8", MIN: "1", MAX: "8" })) vi.stubEnv(`SLURM_ARRAY_TASK_${name}`, value);
    return () => vi.unstubAllEnvs();
  });
  it.each(LINES.map(({ name, words }) => [name, words.join(" "), words] as const))("%s: %s", async (_, __, words) => {
    await idle().parseAsync(words, { from: "user" });
  });
});

const sectionsOf = (page: string) => readFileSync(join(ROOT, "docs", page), "utf8").split(/^## /m);

describe("options in docs/api.md", () => {
  it.each(Object.entries({ load: LOAD, encode: ENCODE, decode: DECODE }))("%s", (name, options) => {
    const section = sectionsOf("api.md").find((text) => text.startsWith(`${name}\n`)) ?? "";
    // Told in a section of their own.
    const own = options.filter((option) => !["onProgress", "signal"].includes(option));
    expect(own.filter((option) => !section.includes(`\`${option}\``))).toEqual([]);
  });
});

describe("options in docs/command_line.md", () => {
  it.each(idle().commands.map((command) => [command.name(), command] as const))("%s", (name, command) => {
    const section = sectionsOf("command_line.md").find((text) => text.split("\n", 1)[0]?.split(" and ").includes(name)) ?? "";
    const described = new Set(section.match(/--[a-z][\w-]*/g));
    const own = [command, ...command.commands].flatMap(({ options }) => options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : [])));
    expect([...new Set(own)].filter((option) => !described.has(option))).toEqual([]);
  });
});
