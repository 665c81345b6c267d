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
 * Where to cut a run into submits so that none is expected to take longer than `budgetMs` at `flopPerMs`.
 * Returns the index after the last dispatch of each submit; one entry when everything fits.
 */
export function submitEnds(graph: Graph, flopPerMs: number, budgetMs: number): number[] {
  const ends: number[] = [];
  let flop = 0;
  graph.dispatches.forEach((dispatch, index) => {
    if (flop > 0 && (flop + dispatch.flop) / flopPerMs > budgetMs) {
      ends.push(index);
      flop = 0;
    }
    flop += dispatch.flop;
  });
  ends.push(graph.dispatches.length);
  return ends;
}
