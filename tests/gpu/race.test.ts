// The tuner's race by clocks like those of browsers and native devices: coarse, jittering, with a round trip, and now and then a submit that takes long.
import { describe, expect, it } from "vitest";
import { type Clock, precisionOf, race, warm } from "../../src/gpu/race.ts";

/** Numbers in [0, 1) that look random. */
function random(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let h = Math.imul(state ^ (state >>> 15), state | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Machine {
  readonly name: string;
  /** Milliseconds: step of the clock, submit without work, standard deviation of it. */
  readonly step: number;
  readonly trip: number;
  readonly jitter: number;
  /** One submit in so many takes so much longer. */
  readonly odd: number;
  readonly oddMs: number;
}

const NATIVE: Machine = { name: "a native device", step: 0.001, trip: 0.06, jitter: 0.01, odd: 60, oddMs: 0.5 };
const CHROME: Machine = { name: "Chrome, clock rounded to 100 µs", step: 0.1, trip: 0.9, jitter: 0.15, odd: 40, oddMs: 4 };
const SAFARI: Machine = { name: "Safari, clock rounded to 1 ms", step: 1, trip: 1.4, jitter: 0.3, odd: 40, oddMs: 5 };
const MACHINES = [NATIVE, CHROME, SAFARI, { ...CHROME, name: "Chrome on a busy machine", trip: 2, jitter: 0.5, odd: 12, oddMs: 8 }];

/** A device whose candidates take `ms` each. */
function clockOf({ step, trip, jitter, odd, oddMs }: Machine, ms: readonly number[], seed: number) {
  const draw = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  let now = 1000 * draw();
  const clock: Clock = {
    // Asking takes a moment, so that a step ends at some time.
    now: () => {
      now += step / 7;
      return Math.floor(now / step) * step;
    },
    run: async (candidate, repeats) => {
      now += trip + Math.abs(normal()) * jitter + (draw() < 1 / odd ? oddMs * draw() : 0) + repeats * (ms[candidate] as number);
    },
  };
  return { clock, elapsed: () => now };
}

/** Ten candidates of which the fastest is 10 % ahead of the next; the default is any of them. */
function draws(seed: number, best: number): { ms: number[]; fastest: number } {
  const draw = random(1000 + seed);
  const ms = [best, 1.1 * best, ...Array.from({ length: 8 }, () => best * (1.1 + draw()))];
  for (let i = ms.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [ms[i], ms[j]] = [ms[j] as number, ms[i] as number];
  }
  return { ms, fastest: ms.indexOf(best) };
}

async function picks(machine: Machine, ms: readonly number[], seed: number, deadline = Number.POSITIVE_INFINITY) {
  const { clock, elapsed } = clockOf(machine, ms, seed);
  const precision = await precisionOf(clock);
  const begun = elapsed();
  const found = await race(clock, ms.length, precision, begun + deadline);
  return { fastest: found?.fastest, ms: found?.ms, took: elapsed() - begun };
}

describe.each(MACHINES)("on $name", (machine) => {
  it.each([0.012, 0.045, 0.9, 12])("the fastest of ten, ahead by a tenth at %f ms, is found in 95 of 100 draws", async (best) => {
    let right = 0;
    let took = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { ms, fastest } = draws(seed, best);
      const found = await picks(machine, ms, seed);
      if (found.fastest === fastest) right++;
      took += found.took / 100;
    }
    expect(right).toBeGreaterThanOrEqual(95);
    console.log(`${machine.name}, ${best} ms: ${right} of 100 right, ${took.toFixed(0)} ms each`);
  });

  it("a default that nothing beats by 3 % stays, in 95 of 100 draws", async () => {
    let stayed = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { fastest } = await picks(machine, [0.045, ...Array(11).fill(0.0445)], seed);
      if (fastest === 0) stayed++;
    }
    expect(stayed).toBeGreaterThanOrEqual(95);
  });

  it("gives times that are those of the kernels, the submit taken off", async () => {
    const { ms } = await picks(machine, [0.05, 0.06, 0.1], 3);
    expect(ms?.[0]).toBeCloseTo(0.05, 2);
    expect((ms?.[2] as number) / (ms?.[0] as number)).toBeGreaterThan(1.7);
  });
});

it("meets its candidates there and back, so that none is always the first after a pause", async () => {
  const { clock } = clockOf(NATIVE, [0.9, 0.9, 0.9], 2);
  const met: number[] = [];
  const watched: Clock = { ...clock, run: (candidate, repeats) => clock.run(candidate, repeats).then(() => void met.push(candidate)) };
  const precision = await precisionOf(watched);
  met.length = 0;
  await race(watched, 3, precision, Number.POSITIVE_INFINITY);
  expect(met.join("")).toMatch(/012210012/);
});

it("is busy for a tenth of a second before anything is timed, with one run where that takes longer", async () => {
  for (const machine of MACHINES) {
    for (const ms of [0.012, 0.9, 250]) {
      const { clock, elapsed } = clockOf(machine, [ms], 4);
      const begun = elapsed();
      const runs: number[] = [];
      await warm({ ...clock, run: (candidate, repeats) => clock.run(candidate, repeats).then(() => void runs.push(repeats)) });
      expect(elapsed() - begun).toBeGreaterThanOrEqual(100 - machine.step);
      expect(elapsed() - begun).toBeLessThan(ms === 250 ? 265 : 200);
      if (ms === 250) expect(runs).toEqual([1]);
      else expect(runs.slice(0, 4)).toEqual([1, 2, 4, 8]);
    }
  }
});

it("says nothing when its time is over before every candidate was met a few times", async () => {
  expect((await picks(SAFARI, [5, 5, 5, 5], 1, 30)).fastest).toBeUndefined();
});

it("never makes a submit of a slow device longer than its default's one run needs, and 60 ms otherwise", async () => {
  for (const [best, most] of [
    [0.02, 60],
    [7, 60],
    [300, 300],
  ] as const) {
    const { clock } = clockOf(SAFARI, [best, best], 5);
    let longest = 0;
    const watched: Clock = {
      ...clock,
      run: async (candidate, repeats) => {
        longest = Math.max(longest, repeats * best);
        await clock.run(candidate, repeats);
      },
    };
    await race(watched, 2, await precisionOf(watched), Number.POSITIVE_INFINITY);
    expect(longest).toBeLessThanOrEqual(1.5 * most);
  }
});
