// What the repository's Markdown refers to is there: files, headings and pictures it links, npm scripts, programs and paths it names, JSON that parses.
// The site has its own check of links (docs.mjs), its TypeScript and JavaScript are compiled (consumers/others.mjs), its commands parsed (tests/cli/documented.test.ts).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ROOT, readJson } from "./tools.mjs";

const FENCED = /^```(\w*)\n([\s\S]*?)^```/gm;
const FOLDERS = /^(app|bench|bin|build|docs|examples|scripts|shaders|src|tests|weights)\//;
/** Made, not kept, or an example of a name. */
const NOT_KEPT = /[*{<…]|^docs\/reference|\/x\.|node_modules/;

/** Paths below the root of all that is written in Markdown. */
export function markdown() {
  const top = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  const below = ["bench", "docs", "examples", "tests", "weights"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  );
  return [...top, ...below.filter((name) => name.endsWith(".md") && !/node_modules|^docs\/reference\//.test(name))];
}

/** As GitHub names headings. */
const slug = (heading) =>
  heading
    .replace(/[`*]|\]\([^)]*\)|\[/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
const anchors = (text) => new Set([...text.replace(FENCED, "").matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading)));

/** Gives "" or what is wrong, a line each. */
export function checkDocs() {
  const scripts = readJson(join(ROOT, "package.json")).scripts;
  const texts = new Map(markdown().map((name) => [name, readFileSync(join(ROOT, name), "utf8")]));
  const included = (name) => texts.get(name)?.replace(/<!--@include: ([\w./]+).*?-->/g, (_, path) => texts.get(join(dirname(name), path)) ?? "") ?? "";
  const linked = new Set();
  const wrong = [];
  for (const [name, text] of texts) {
    const complain = (words) => wrong.push(`${name}: ${words}`);
    const prose = text.replace(FENCED, "");
    for (const [, plain, source] of prose.replace(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)\)|\ssrc="([^"]+)"/g)) {
      const link = plain ?? source;
      if (/^[a-z]+:/.test(link)) continue;
      const [path, anchor] = link.split("#");
      const target = path ? relative(ROOT, join(ROOT, dirname(name), path)).replaceAll("\\", "/") : name;
      linked.add(target);
      if (!existsSync(join(ROOT, target))) complain(`${link} is not there`);
      else if (anchor && !anchors(included(target)).has(anchor)) complain(`${link}: no such heading`);
    }
    for (const [, script] of text.matchAll(/\bnpm run ([\w:]+)/g)) if (!scripts[script]) complain(`npm run ${script}: no such script`);
    for (const [, program] of text.matchAll(/\bnode (?:--\S+ )*(scripts\/\S+?\.mjs)/g))
      if (!existsSync(join(ROOT, program))) complain(`${program} is not there`);
    for (const [, path] of prose.matchAll(/`([^`\s]+)`/g))
      if (FOLDERS.test(path) && !NOT_KEPT.test(path) && !existsSync(join(ROOT, path))) complain(`${path} is not there`);
    for (const [, language, code] of text.matchAll(FENCED)) {
      if (language !== "json") continue;
      try {
        JSON.parse(code);
      } catch (error) {
        complain(`JSON that does not parse: ${error.message}`);
      }
    }
  }
  for (const folder of ["docs/pictures", "docs/tasks"])
    for (const picture of readdirSync(join(ROOT, folder))) if (!linked.has(`${folder}/${picture}`)) wrong.push(`${folder}/${picture}: no page shows it`);
  return wrong.join("\n");
}
