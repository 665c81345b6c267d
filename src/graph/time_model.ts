// How long a dispatch should take on a GPU that is described by a few numbers: a model, to choose among variants where nothing was measured
// and to see beside a measurement which of the two is wrong. Within about 40 % for large kernels; better for one variant against another.
import type { Dispatch } from "./graph.ts";

/** A GPU as the model sees it. */
export interface DeviceModel {
  readonly name: string;
  /** What runs workgroups: streaming multiprocessors, cores, subslices. */
  readonly units: number;
  /** Instructions a unit starts in a cycle, each for 32 threads. */
  readonly issues: number;
  readonly ghz: number;
  /** Memory traffic that kernels reach, GB/s. */
  readonly gbs: number;
  /** Cycles from a load to its value, from memory. */
  readonly latency: number;
  /** 32-bit registers of a unit. */
  readonly registers: number;
  /** Threads a unit holds. */
  readonly threads: number;
  /** Microseconds to start and end a dispatch. */
  readonly launchUs: number;
  /** Microseconds between two dispatches of which the second waits for the first. */
  readonly gapUs: number;
}

const DESKTOP = { issues: 4, registers: 65536, threads: 2048, launchUs: 2, gapUs: 5 };

export const DEVICE_MODELS = {
  h100: { name: "h100", units: 132, ghz: 1.98, gbs: 2700, latency: 900, ...DESKTOP },
  h200: { name: "h200", units: 132, ghz: 1.98, gbs: 3900, latency: 900, ...DESKTOP },
  m2: { name: "m2", units: 10, ghz: 1.4, gbs: 85, latency: 500, issues: 4, registers: 53248, threads: 1024, launchUs: 3, gapUs: 5 },
  igpu: { name: "igpu", units: 3, ghz: 1.1, gbs: 30, latency: 400, issues: 4, registers: 32768, threads: 896, launchUs: 5, gapUs: 10 },
} as const satisfies Record<string, DeviceModel>;

/** What one dispatch makes a thread do, step after step; a step waits for memory once. */
export interface Work {
  /** Of a workgroup. */
  readonly threads: number;
  /** Workgroups with anything to do, where others end at once. */
  readonly groups?: number;
  readonly steps: number;
  /** Instructions of a thread in a step. */
  readonly instructions: number;
  /** Cycles of workgroup memory that 32 threads take in a step. */
  readonly shared?: number;
  /** 32-bit registers of a thread. */
  readonly registers?: number;
  /** The next step's loads go out before this one's sums: they wait together. */
  readonly ahead?: boolean;
  /** Cycles that addresses read from a table add to a step's wait. */
  readonly lookups?: number;
}

export type Limit = "issue" | "latency" | "bandwidth" | "gap";

export interface ModelledTime {
  /** Microseconds, with the start of the dispatch and without the gap before it. */
  readonly us: number;
  /** Share of the device's schedulers that have something to do. */
  readonly fill: number;
  /** What takes the time. */
  readonly limit: Limit;
}

/** Sums a thread has on their way at once, where an op says nothing of its work. */
const UNROLLED = 8;

/** For an op that says nothing: its operations spread over its threads, eight loads in flight. */
function workOf({ flop, workgroups, work }: Timed): Work {
  if (work) return work;
  const threads = 64;
  const operations = flop / 2 / (threads * product(workgroups));
  const steps = Math.max(1, Math.ceil(operations / UNROLLED));
  return { threads, steps, instructions: 2 * UNROLLED + 20 };
}

export type Timed = Pick<Dispatch, "flop" | "bytes" | "workgroups"> & { readonly work?: Work | undefined };

const product = (counts: readonly number[]) => counts.reduce((all, count) => all * count, 1);

/** Threads of a workgroup, as the model counts them. */
export function threadsOf(dispatch: Timed): number {
  return workOf(dispatch).threads;
}

/**
 * A step takes the longest of: what the resident workgroups issue, what one of them needs by itself, and the wait for memory. Without loads
 * ahead, the wait and a workgroup's own work follow each other. Workgroups that find no room wait for those that run.
 */
export function modelledTime(dispatch: Timed, device: DeviceModel): ModelledTime {
  const { threads, steps, instructions, shared = 0, registers = 64, ahead = false, lookups = 0 } = workOf(dispatch);
  const { groups = product(dispatch.workgroups) } = workOf(dispatch);
  const warps = Math.ceil(threads / 32);
  const share = Math.ceil(groups / device.units);
  const room = Math.max(1, Math.floor(Math.min(device.registers / (threads * registers), device.threads / threads)));
  const resident = Math.min(share, room);
  const issue = resident * Math.max((warps * instructions) / device.issues, warps * shared);
  const alone = Math.max(instructions * Math.ceil(warps / device.issues), warps * shared);
  const wait = device.latency + lookups;
  const waited = ahead ? Math.max(alone, wait) : alone + wait;
  const compute = (Math.ceil(share / resident) * steps * Math.max(issue, waited)) / (device.ghz * 1e3);
  const traffic = dispatch.bytes / (device.gbs * 1e3);
  const us = Math.max(compute, traffic) + device.launchUs;
  const limit = us < device.gapUs ? "gap" : traffic > compute ? "bandwidth" : issue >= waited ? "issue" : "latency";
  return { us, fill: Math.min(1, (groups * warps) / (device.units * device.issues)), limit };
}

/** Milliseconds of a run: each dispatch and the gap before it. */
export function modelledMs(dispatches: readonly Timed[], device: DeviceModel): number {
  return dispatches.reduce((sum, dispatch) => sum + modelledTime(dispatch, device).us + device.gapUs, 0) / 1e3;
}

/** The description nearest to an adapter that says who made it; where it does not, a large desktop GPU, which loses most by a bad choice. */
export function deviceModelOf({ vendor, architecture }: { readonly vendor: string; readonly architecture: string }): DeviceModel {
  if (/apple/i.test(`${vendor} ${architecture}`)) return DEVICE_MODELS.m2;
  return /intel|qualcomm|arm|img|imagination|samsung/i.test(vendor) ? DEVICE_MODELS.igpu : DEVICE_MODELS.h100;
}

/** Longest a single submit may be expected to take: well below the second or two after which a system resets a GPU. */
export const SUBMIT_BUDGET_MS = 400;
/** The slowest speed expected of a GPU that was not seen to run anything: old integrated ones reach it. */
export const SLOW_GPU_FLOP_PER_MS = 2e8;
