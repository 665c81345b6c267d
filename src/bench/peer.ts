// Another implementation of the same network, timed in turns with this one, so that both meet the same clocks and temperatures.
import type { Summary } from "./statistics.ts";
import { summarise } from "./statistics.ts";

export type GraphName = "encode" | "decode";

/** Milliseconds of each run. */
export interface Samples {
  /** By the GPU's own clock, where there is one. */
  readonly gpu: readonly number[] | null;
  readonly wall: readonly number[];
}

export interface PeerFacts {
  readonly name: string;
  readonly variants: readonly { readonly name: string; readonly embeddingMaxAbsError: number }[];
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

export interface Peer {
  facts(): Promise<PeerFacts>;
  time(variant: string, graph: GraphName, runs: number): Promise<Samples>;
}

export interface SummaryPair {
  readonly gpu: Summary | null;
  readonly wall: Summary;
}

/** Times of both, measured in turns, and the peer's over ours: above 1 where ours is faster. */
export interface PeerReport {
  readonly name: string;
  readonly ours: Readonly<Record<GraphName, SummaryPair>>;
  readonly variants: readonly PeerVariant[];
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

export interface PeerVariant extends Readonly<Record<GraphName, SummaryPair>> {
  readonly name: string;
  /** From its own exact embedding. */
  readonly embeddingMaxAbsError: number;
  /** Of the medians, by the GPU's clock where both have one. */
  readonly ratio: Readonly<Record<GraphName, number>>;
}

/** Runs behind each other before it is another one's turn. */
const TURN = 5;
const GRAPHS = ["encode", "decode"] as const;

/** `own` times this project's graph as the peer times its own. */
export async function timeInTurns(peer: Peer, runs: number, own: (graph: GraphName, runs: number) => Promise<Samples>): Promise<PeerReport> {
  const { name, variants, failed } = await peer.facts();
  const lost = new Map(failed.map((one) => [one.name, one.reason]));
  type Turn = { readonly name: string | undefined; readonly samples: Record<GraphName, { gpu: number[]; wall: number[] }> };
  const empty = (): Turn["samples"] => ({ encode: { gpu: [], wall: [] }, decode: { gpu: [], wall: [] } });
  const turns: Turn[] = [{ name: undefined, samples: empty() }, ...variants.map(({ name }) => ({ name, samples: empty() }))];
  for (const graph of GRAPHS) {
    for (let done = 0, round = 0; done < runs; done += TURN, round++) {
      const count = Math.min(TURN, runs - done);
      // There and back, so that none always follows the same one.
      for (const { name, samples } of round % 2 === 0 ? turns : [...turns].reverse()) {
        if (name !== undefined && lost.has(name)) continue;
        try {
          const { gpu, wall } = name === undefined ? await own(graph, count) : await peer.time(name, graph, count);
          samples[graph].gpu.push(...(gpu ?? []));
          samples[graph].wall.push(...wall);
        } catch (error) {
          if (name === undefined) throw error;
          lost.set(name, error instanceof Error ? error.message : String(error));
        }
      }
    }
  }
  const [ours, ...theirs] = turns.map(({ name, samples }) => ({ name, encode: pairOf(samples.encode), decode: pairOf(samples.decode) }));
  if (!ours?.encode || !ours.decode) throw new Error("nothing was timed");
  const ownTimes = { encode: ours.encode, decode: ours.decode };
  const measured = theirs.flatMap(({ name, encode, decode }): PeerVariant[] => {
    const found = variants.find((variant) => variant.name === name);
    if (!found || !encode || !decode || lost.has(found.name)) return [];
    return [{ ...found, encode, decode, ratio: { encode: ratioOf(encode, ownTimes.encode), decode: ratioOf(decode, ownTimes.decode) } }];
  });
  return { name, ours: ownTimes, variants: measured, failed: [...lost].map(([name, reason]) => ({ name, reason })) };
}

function pairOf({ gpu, wall }: { readonly gpu: readonly number[]; readonly wall: readonly number[] }): SummaryPair | undefined {
  return wall.length === 0 ? undefined : { gpu: gpu.length > 0 ? summarise(gpu) : null, wall: summarise(wall) };
}

function ratioOf(theirs: SummaryPair, ours: SummaryPair): number {
  return theirs.gpu && ours.gpu ? theirs.gpu.median / ours.gpu.median : theirs.wall.median / ours.wall.median;
}
