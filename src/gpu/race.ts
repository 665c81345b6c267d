// Which of several kernels is the fastest, by a wall clock that is coarse and jitters: no device here, so that tests can bring a clock of their own.

/** How work is timed. */
export interface Clock {
  /** Milliseconds; may move in steps of a whole one. */
  now(): number;
  /** Resolves when `repeats` of the candidate are submitted and done; of 0 repeats, when a submit without work is. */
  run(candidate: number, repeats: number): Promise<void>;
}

/** What a clock is good for. */
export interface Precision {
  /** Milliseconds that a submit without work takes: to be taken off every time. */
  readonly roundTripMs: number;
  /** Milliseconds that work must take so that jitter and steps of the clock are a few percent of it. */
  readonly signalMs: number;
}

interface Winner {
  readonly fastest: number;
  /** Milliseconds of one run of each candidate; undefined for one that could not run. */
  readonly ms: readonly (number | undefined)[];
}

/** A GPU that waited for compilers runs at a fraction of its clock until it was busy for a while. */
const WARM_MS = 100;
const WARM_REPEATS = 64;
const EMPTY_SUBMITS = 15;
const STEPS_SEEN = 8;
/** A signal is this many times the jitter, and steps of the clock. */
const JITTERS = 10;
const STEPS = 20;
const LEAST_SIGNAL_MS = 1;
/** No submit is made longer, whatever the clock. */
const MOST_SIGNAL_MS = 60;
const MOST_REPEATS = 1024;
const LEAST_ROUNDS = 4;
const MOST_ROUNDS = 24;
/** Errors of the mean by which a candidate must be behind to be out. */
const SURE = 3;
/** Candidates nearer than this to each other are the same. */
const ALIKE = 0.02;
/** A gain over the default below this is noise. */
const WORTH_IT = 0.97;
const LEAST_RUN_OFF = 5;
const MOST_RUN_OFF = 16;
/** What leaving out the longest quarter takes from the spread of the rest. */
const TRIMMED = 1.6;

export async function precisionOf(clock: Clock): Promise<Precision> {
  const trips: number[] = [];
  await timed(clock, 0, 0);
  for (let i = 0; i < EMPTY_SUBMITS; i++) trips.push(await timed(clock, 0, 0));
  trips.sort((a, b) => a - b);
  const at = (share: number) => trips[Math.round(share * (trips.length - 1))] as number;
  // Of the middle, so that one odd submit does not decide, but two of fifteen do: 1.35 and 1.28 standard deviations.
  const jitterMs = Math.max((at(0.75) - at(0.25)) / 1.35, (at(0.9) - at(0.5)) / 1.28);
  const signalMs = Math.max(LEAST_SIGNAL_MS, JITTERS * jitterMs, STEPS * stepOf(clock));
  return { roundTripMs: centre(trips), signalMs: Math.min(MOST_SIGNAL_MS, signalMs) };
}

/** The smallest step the clock is seen to take. */
function stepOf({ now }: Clock): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < STEPS_SEEN; i++) {
    const from = now();
    let to = from;
    while (to === from) to = now();
    smallest = Math.min(smallest, to - from);
  }
  return smallest;
}

async function timed(clock: Clock, candidate: number, repeats: number): Promise<number> {
  const begun = clock.now();
  await clock.run(candidate, repeats);
  return clock.now() - begun;
}

/**
 * The fastest of `count` candidates, of which the first is the default. All are timed in rounds, there and back, until those that are behind
 * are surely so; what is left over meets the default once more, on fresh times: the best of many noisy times is better than it should be.
 * Undefined when the deadline, by the clock, comes before anything is known.
 */
export async function race(clock: Clock, count: number, { roundTripMs, signalMs }: Precision, deadline: number): Promise<Winner | undefined> {
  const repeats = await repeatsFor(clock, { roundTripMs, signalMs });
  const times = Array.from({ length: count }, (): number[] => []);
  const time = async (candidate: number) => Math.max(0, (await timed(clock, candidate, repeats)) - roundTripMs) / repeats;
  let left = times.map((_, candidate) => candidate);
  for (let round = 0; round < MOST_ROUNDS && left.length > 1; round++) {
    for (const candidate of round % 2 === 0 ? left : [...left].reverse()) {
      if (clock.now() > deadline) return round < LEAST_ROUNDS ? undefined : winner(bestSoFar(left, times), times);
      times[candidate]?.push(await time(candidate));
    }
    if (round + 1 < LEAST_ROUNDS) continue;
    const error = errorOf(left.map((candidate) => times[candidate] as number[]));
    left = left.sort((a, b) => centre(times[a] as number[]) - centre(times[b] as number[]));
    const best = centre(times[left[0] as number] as number[]);
    left = left.filter((candidate) => centre(times[candidate] as number[]) - best <= SURE * Math.SQRT2 * error);
    if (left.every((candidate) => centre(times[candidate] as number[]) <= (1 + ALIKE) * best) && error < (ALIKE / SURE) * best) break;
  }
  // Of those that are alike the default, or else what the model of the device put first.
  const best = Math.min(...left.map((candidate) => centre(times[candidate] as number[])));
  const fastest = Math.min(...left.filter((candidate) => centre(times[candidate] as number[]) <= (1 + ALIKE) * best));
  if (fastest === 0) return winner(0, times);
  return winner((await beats(clock, time, fastest, deadline)) ? fastest : 0, times);
}

/** Where there is no time for fresh ones: the best, if it is surely worth choosing over the default. */
function bestSoFar(left: readonly number[], times: readonly number[][]): number {
  const best = left.reduce((one, other) => (centre(times[other] as number[]) < centre(times[one] as number[]) ? other : one));
  const own = times[best] as number[];
  const standard = times[0] as number[];
  return centre(own) + SURE * errorOf([own, standard]) < WORTH_IT * centre(standard) ? best : 0;
}

/** Whether a candidate is worth choosing over the default, on fresh times of both. */
async function beats(clock: Clock, time: (candidate: number) => Promise<number>, candidate: number, deadline: number): Promise<boolean> {
  const [own, other]: [number[], number[]] = [[], []];
  for (let round = 0; round < MOST_RUN_OFF; round++) {
    if (clock.now() > deadline && round >= 1) break;
    for (const first of round % 2 === 0 ? [true, false] : [false, true]) (first ? own : other).push(await time(first ? candidate : 0));
    const apart = Math.abs(centre(own) - WORTH_IT * centre(other));
    if (round + 1 >= LEAST_RUN_OFF && apart > SURE * Math.SQRT2 * errorOf([own, other])) break;
  }
  return centre(own) + Math.SQRT2 * errorOf([own, other]) < WORTH_IT * centre(other);
}

async function repeatsFor(clock: Clock, { roundTripMs, signalMs }: Precision): Promise<number> {
  for (let repeats = 1; ; ) {
    // The shorter of two: one may have waited for something else.
    const ms = Math.min(await timed(clock, 0, repeats), await timed(clock, 0, repeats)) - roundTripMs;
    if (ms >= 0.8 * signalMs || repeats >= MOST_REPEATS) return repeats;
    // The first readings may be nothing.
    repeats = Math.min(MOST_REPEATS, 8 * repeats, ms > 0 ? Math.ceil((1.1 * repeats * signalMs) / ms) : MOST_REPEATS);
  }
}

/** Jitter only ever adds: the longest quarter is left out. */
function kept(times: readonly number[]): number[] {
  return [...times].sort((a, b) => a - b).slice(0, Math.max(1, Math.ceil(0.75 * times.length)));
}

function centre(times: readonly number[]): number {
  const rest = kept(times);
  return rest.reduce((sum, ms) => sum + ms, 0) / rest.length;
}

/** Of the centre of one candidate's times: all jitter alike, so that few times of many candidates say how much. */
function errorOf(all: readonly (readonly number[])[]): number {
  let [squares, freedom, least] = [0, 0, Number.POSITIVE_INFINITY];
  for (const times of all) {
    const rest = kept(times);
    const mean = centre(times);
    squares += rest.reduce((sum, ms) => sum + (ms - mean) ** 2, 0);
    freedom += rest.length - 1;
    least = Math.min(least, rest.length);
  }
  return TRIMMED * Math.sqrt(squares / Math.max(1, freedom) / least);
}

function winner(fastest: number, times: readonly (readonly number[])[]): Winner {
  return { fastest, ms: times.map((own) => (own.length > 0 ? centre(own) : undefined)) };
}

/** Keeps the device busy with the first candidate until its clock is up. */
export async function warm(clock: Clock): Promise<void> {
  const begun = clock.now();
  for (let repeats = 1; clock.now() - begun < WARM_MS; repeats = Math.min(WARM_REPEATS, 2 * repeats)) await clock.run(0, repeats);
}
