// Lifetimes → buffers. Two activations share a slot only when their lifetimes do not touch.
import type { Graph } from "./graph.ts";
import { byteLength, type Tensor } from "./tensor.ts";

export interface Lifetime {
  readonly tensor: Tensor;
  /** Index of the dispatch that writes it. */
  readonly first: number;
  /** Index of the last dispatch that reads it; the graph's length for an output. */
  readonly last: number;
}

export interface Plan {
  /** Bytes of each slot, largest first. */
  readonly slots: readonly number[];
  /** Slot of each activation. */
  readonly slotOf: ReadonlyMap<Tensor, number>;
  readonly lifetimes: readonly Lifetime[];
  /** Sum over the slots. */
  readonly activationBytes: number;
}

export function lifetimes(graph: Graph): Lifetime[] {
  const spans = new Map<Tensor, { first: number; last: number }>();
  graph.dispatches.forEach(({ reads, writes }, index) => {
    for (const tensor of Object.values(writes)) {
      const span = spans.get(tensor);
      if (span) span.last = index;
      else spans.set(tensor, { first: index, last: index });
    }
    for (const tensor of Object.values(reads)) {
      const span = spans.get(tensor);
      if (span) span.last = index;
    }
  });
  for (const tensor of graph.outputs) {
    const span = spans.get(tensor);
    if (span) span.last = graph.dispatches.length;
  }
  return [...spans].map(([tensor, span]) => ({ tensor, ...span }));
}

/** Greedy by size: the largest activations choose first, each takes the first slot that is free for its whole lifetime. */
export function plan(graph: Graph): Plan {
  const spans = lifetimes(graph);
  const slots: { bytes: number; taken: Lifetime[] }[] = [];
  const slotOf = new Map<Tensor, number>();
  for (const span of [...spans].sort((a, b) => byteLength(b.tensor) - byteLength(a.tensor) || a.first - b.first)) {
    let index = slots.findIndex(({ taken }) => taken.every((other) => other.last < span.first || span.last < other.first));
    if (index < 0) index = slots.push({ bytes: byteLength(span.tensor), taken: [] }) - 1;
    slots[index]?.taken.push(span);
    slotOf.set(span.tensor, index);
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf, lifetimes: spans, activationBytes: slots.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Index after the last dispatch of the submit that begins with dispatch `begin`: none is expected to take longer than `budgetMs` at `flopPerMs`,
 * but for a dispatch that does so alone.
 */
export function submitEnd({ dispatches }: Graph, begin: number, flopPerMs: number, budgetMs: number): number {
  let flop = dispatches[begin]?.flop ?? 0;
  let end = begin + 1;
  for (; end < dispatches.length; end++) {
    const more = dispatches[end]?.flop ?? 0;
    if (flop > 0 && (flop + more) / flopPerMs > budgetMs) break;
    flop += more;
  }
  return end;
}

/** The end of each submit of a run at one speed; one entry when everything fits. */
export function submitEnds(graph: Graph, flopPerMs: number, budgetMs: number): number[] {
  const ends: number[] = [];
  for (let begin = 0; begin < graph.dispatches.length; begin = ends.at(-1) as number) ends.push(submitEnd(graph, begin, flopPerMs, budgetMs));
  return ends;
}
