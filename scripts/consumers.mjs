// npm run test:consumers: the library as npm packs it, used the ways people use it: bundlers, plain pages, runtimes, compilers.
// --fast tries the quick ones alone, which need no page and no package beyond the repository's; NAME… those whose name contains it. `npm run build` goes before.
import { parseArgs } from "node:util";
import { openBrowser } from "./consumers/browser.mjs";
import { DOCUMENTATION } from "./consumers/documentation.mjs";
import { EXAMPLES } from "./consumers/examples.mjs";
import { OTHERS } from "./consumers/others.mjs";
import { PAGES } from "./consumers/pages.mjs";
import { openWorkshop } from "./consumers/workshop.mjs";
import { isMain, Problem, runMain, say, seconds } from "./tools.mjs";

/** Everything runs on the same software adapter, so numbers are the same to the last digits. */
const SAME = 1e-6;

/** At the same time: two pages, and the build of the next or one without a page. */
const LANES = 3;

/** Those of both lists by turns, so that what needs a page and what does not are under way together. */
const inTurn = (a, b) =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [a[i], b[i]])
    .flat()
    .filter(Boolean);

const describe = ({ area, score }) => `${area} pixels, predicted IoU ${score.toFixed(6)}`;

/** What a page found is a disc, twice the same, and the same as every other page's. */
function judge({ main, inWorker }, expected) {
  for (const [where, found] of Object.entries({ "on the main thread": main, "in the worker": inWorker })) {
    if (!found.refused) throw new Problem(`${where} a point outside was not refused by the one SamError of all entries`);
    const [known, score] = expected ? [expected.area, expected.score] : [main.area, main.score];
    if (found.area !== known || Math.abs(found.score - score) > SAME) throw new Problem(`${where} ${describe(found)}, elsewhere ${describe(expected ?? main)}`);
  }
  // A disc of radius 50 has 7854 pixels; what comes out says that the network saw it.
  if (main.area < 4000 || main.area > 12_000) throw new Problem(`a disc of 7854 pixels gave ${describe(main)}`);
  return main;
}

/** Gives what is wrong, one line a consumer. */
export async function tryConsumers({ fast = false, filters = [] } = {}) {
  const wanted = ({ name, fast: isFast }) =>
    (!fast || isFast) && (filters.length === 0 || filters.some((filter) => name.toLowerCase().includes(filter.toLowerCase())));
  const [others, examples, pages] = [OTHERS, [...DOCUMENTATION, ...EXAMPLES], PAGES].map((list) => list.filter(wanted));
  if (others.length + examples.length + pages.length === 0) throw new Problem(`No consumer's name contains ${filters.join(" or ")}`);
  const shop = await openWorkshop(fast ? { borrowed: ["webgpu", "@webgpu"] } : { tools: true });
  const browser = openBrowser();
  const wrong = [];
  let expected;
  const attempt = async ({ name, run, judged }) => {
    const start = performance.now();
    try {
      const found = await run({ ...shop, browser, fast });
      if (judged) expected = judge(found, expected);
      const words = judged ? describe(expected) : found;
      say(`  ✓ ${name}${words ? `: ${words}` : ""} (${seconds(start)})`);
    } catch (error) {
      wrong.push(name);
      say(`  ✗ ${name} (${seconds(start)})\n${error instanceof Problem ? error.message : error.stack}`);
    }
  };
  // Two pages are open at a time; beside them the next ones are built, and what needs no page is run.
  const queue = inTurn([...pages.map((page) => ({ ...page, judged: true })), ...examples], others);
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await attempt(next);
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    await browser.close();
    shop.close();
  }
  return wrong.length > 0 ? `Not usable as documented: ${wrong.join("; ")}` : "";
}

if (isMain(import.meta)) {
  await runMain(async () => {
    const { values, positionals } = parseArgs({ options: { fast: { type: "boolean", default: false } }, allowPositionals: true });
    const wrong = await tryConsumers({ fast: values.fast, filters: positionals });
    if (wrong) throw new Problem(wrong);
  });
}
