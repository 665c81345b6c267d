// What two builds' bench runs, measured in turn on one machine, say of each other: ratios of pairs, their noise, a verdict.

/** Slower by more than this beyond the noise: said, and failed. */
export const WARN = 0.1;
export const FAIL = 0.25;
/** Below this nothing is said, however quiet the pairs were. */
const DRIFT = 0.03;
/** An op with less of its graph's time than this is shown and not judged: end to end it cannot be seen. */
const MINOR = 0.01;
const NOTCH = 1.57;
const GRAPHS = ["encode", "decode"];

function quantile(sorted, q) {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

const sort = (values) => [...values].sort((a, b) => a - b);
const median = (values) => quantile(sort(values), 0.5);
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Dispatches that do the same work under the same name; the same label can come twice, so occurrences are counted. */
function keysOf(kernels) {
  const seen = new Map();
  return kernels.map(({ label, op, shape, flop }) => {
    const key = `${label} ${op} ${shape} ${flop}`;
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return `${key} ${nth}`;
  });
}

/** Of one graph: by op the indices of the dispatches that both builds have, and the ops that are not compared. */
export function matchOps(before, now) {
  const places = new Map(keysOf(before).map((key, index) => [key, index]));
  const ops = new Map();
  keysOf(now).forEach((key, index) => {
    const earlier = places.get(key);
    if (earlier === undefined) return;
    const { op } = now[index];
    const pairs = ops.get(op) ?? { before: [], now: [] };
    pairs.before.push(earlier);
    pairs.now.push(index);
    ops.set(op, pairs);
  });
  const names = (kernels) => [...new Set(kernels.map(({ op }) => op))];
  const [earlier, later] = [names(before), names(now)];
  return {
    ops,
    gone: earlier.filter((op) => !later.includes(op)),
    added: later.filter((op) => !earlier.includes(op)),
    changed: later.filter((op) => earlier.includes(op) && !ops.has(op)),
  };
}

/**
 * Times of the same thing, a pair of runs each. The median of the ratios is not moved by a pair that something else disturbed;
 * noise is how far it may lie from the true one: a boxplot's notch, 95 % of cases, from the distance of the quartiles.
 */
export function judge(name, beforeMs, nowMs, share = 1) {
  const ratios = sort(nowMs.map((ms, i) => ms / beforeMs[i]));
  const relative = quantile(ratios, 0.5) - 1;
  const noise = Math.max(DRIFT, (NOTCH * (quantile(ratios, 0.75) - quantile(ratios, 0.25))) / Math.sqrt(ratios.length));
  const beyond = Math.abs(relative) - noise;
  const slower = beyond >= FAIL ? "fail" : beyond >= WARN ? "warn" : "same";
  const verdict = share < MINOR ? "minor" : relative > 0 ? slower : beyond > 0 ? "faster" : "same";
  return { name, before: median(beforeMs), now: median(nowMs), relative, noise, verdict };
}

/** Of one graph, once a pair: the whole's time and that of each op in what both builds dispatch, before and now. */
function pairTimes({ before, now }) {
  const { ops, ...notes } = matchOps(before.kernels, now.kernels);
  // The quickest run of a process: whatever else the machine does only ever adds.
  const of = (kernels, indices) => sum(indices.map((index) => kernels[index].time.min));
  return {
    whole: [before.wall.min, now.wall.min],
    total: sum(before.kernels.map(({ time }) => time.min)),
    ops: new Map([...ops].map(([op, places]) => [op, [of(before.kernels, places.before), of(now.kernels, places.now)]])),
    notes,
  };
}

/** `pairs` of reports → a row for each graph and for each op of it, and words on what could not be compared. */
export function compareRuns(pairs) {
  const rows = [];
  const notes = [];
  for (const graph of GRAPHS) {
    const times = pairs.map(({ before, now }) => pairTimes({ before: before[graph], now: now[graph] }));
    const row = (name, values, share) =>
      judge(
        name,
        values.map(([before]) => before),
        values.map(([, now]) => now),
        share,
      );
    rows.push(
      row(
        graph,
        times.map(({ whole }) => whole),
      ),
    );
    const total = median(times.map((time) => time.total));
    for (const op of times[0].ops.keys()) {
      const values = times.flatMap(({ ops }) => (ops.has(op) ? [ops.get(op)] : []));
      rows.push(row(`${graph} ${op}`, values, median(values.map(([before]) => before)) / total));
    }
    const { gone, added, changed } = times[0].notes;
    for (const [list, words] of [
      [gone, "only on main"],
      [added, "only here"],
      [changed, "on both sides, with no dispatch alike"],
    ]) {
      if (list.length > 0) notes.push(`${graph}: ${words}, so not compared by itself: ${list.join(", ")}`);
    }
    const [was, is] = [pairs[0].before[graph], pairs[0].now[graph]];
    if (was.dispatches !== is.dispatches) notes.push(`${graph}: ${was.dispatches} dispatches on main, ${is.dispatches} here`);
  }
  return { rows, notes };
}

/** Rows that fail in all pairs together and are slower in the second measurement alone: what shows up once is the machine's doing. */
export function confirmed(all, second) {
  const slower = new Set(second.filter(({ verdict }) => verdict === "fail" || verdict === "warn").map(({ name }) => name));
  return all.filter(({ name, verdict }) => verdict === "fail" && slower.has(name)).map(({ name }) => name);
}

const WORDS = { fail: "✗ slower", warn: "! slower", faster: "faster", same: "", minor: "under 1 % of its graph" };

export function tableText(rows) {
  const ms = (value) => `${value.toPrecision(3)} ms`;
  const change = (value) => `${value >= 0 ? "+" : "−"}${Math.abs(100 * value).toFixed(1)} %`;
  const cells = rows.map(({ name, before, now, relative, noise, verdict }) => [
    name,
    ms(before),
    ms(now),
    change(relative),
    `${(100 * noise).toFixed(1)} %`,
    WORDS[verdict],
  ]);
  const all = [["", "main", "here", "change", "noise", ""], ...cells];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const pad = (cell, column) => (column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  return all.map((row) => `  ${row.map(pad).join("  ").trimEnd()}`).join("\n");
}
