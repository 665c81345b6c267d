import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { lifetimes, plan, submitEnds } from "../../src/graph/plan.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import { byteLength, type Tensor } from "../../src/graph/tensor.ts";
import { VIT_B } from "../../src/model/config.ts";
import { decodeGraph, encodeGraph } from "../../src/model/network.ts";
import { add, randomGraph } from "./support.ts";
import { CPU_TARGET } from "../support/targets.ts";

const UPSAMPLE = { width: 300, height: 200, left: 0, top: 0, resize: true, spanX: 256, spanY: 256 };

/**
 * Runs a graph on names instead of numbers: each slot holds the tensor last written to it. Throws where a dispatch would read
 * another tensor than recorded, or where an output is gone at the end.
 */
function replay(graph: Graph, { slots, slotOf } = plan(graph)): void {
  const held: (Tensor | undefined)[] = slots.map(() => undefined);
  const expectHeld = (tensor: Tensor, when: string) => {
    if (tensor.kind !== "activation") return;
    const slot = slotOf.get(tensor) as number;
    if (held[slot] !== tensor) throw new Error(`${graph.label}: ${tensor.label} in slot ${slot} was overwritten by ${held[slot]?.label} ${when}`);
    if ((slots[slot] as number) < byteLength(tensor)) throw new Error(`${graph.label}: slot ${slot} is too small for ${tensor.label}`);
  };
  for (const { label, reads, writes } of graph.dispatches) {
    // In slots first: a dispatch must not write over what it reads either.
    for (const tensor of Object.values(writes)) {
      const slot = slotOf.get(tensor) as number;
      const clash = Object.values(reads).find((read) => slotOf.get(read) === slot);
      if (clash) throw new Error(`${graph.label}: ${label} reads ${clash.label} and writes ${tensor.label} in slot ${slot}`);
    }
    for (const tensor of Object.values(reads)) expectHeld(tensor, `before ${label}`);
    for (const tensor of Object.values(writes)) held[slotOf.get(tensor) as number] = tensor;
  }
  for (const tensor of graph.outputs) expectHeld(tensor, "at the end");
}

describe("plan", () => {
  it("keeps every value of 40 random graphs until it is read last", () => {
    for (let seed = 0; seed < 40; seed++) {
      const graph = randomGraph(seed, 1 + seed * 5);
      replay(graph);
      const { activationBytes, slots } = plan(graph);
      expect(activationBytes).toBe(slots.reduce((sum, bytes) => sum + bytes, 0));
    }
  });

  it.each([GPU_TARGET, CPU_TARGET])("keeps every value of vit_b on a $kind", (target) => {
    replay(encodeGraph(VIT_B, target).graph);
    for (const batch of [1, 3]) replay(decodeGraph(VIT_B, { batch, tokens: 4, multimask: true, upsample: UPSAMPLE }, target).graph);
  });

  it("is held by a check that can fail: any two activations of vit_b that live at once in one slot", () => {
    const { graph } = encodeGraph(VIT_B);
    const honest = plan(graph);
    const [early, late] = ["image_encoder.blocks.3.norm2", "image_encoder.blocks.3.mlp.lin2.partial"].map(
      (label) => honest.lifetimes.find(({ tensor }) => tensor.label === label)?.tensor,
    );
    const slotOf = new Map(honest.slotOf).set(late as Tensor, honest.slotOf.get(early as Tensor) as number);
    expect(() => replay(graph, { ...honest, slotOf })).toThrow(
      /^encode: image_encoder.blocks.3.norm2 in slot \d was overwritten by image_encoder.blocks.3.mlp.lin2.partial before/,
    );
    const chain = randomGraph(5, 200);
    expect(() => replay(chain, { ...plan(chain), slotOf: new Map([...plan(chain).slotOf.keys()].map((tensor) => [tensor, 0])) })).toThrow(/slot 0/);
  });

  it("uses a chain's memory again: two slots for any length", () => {
    const graph = new Graph("chain");
    let x = add(graph, graph.input("input", [8]), graph.none);
    for (let i = 0; i < 50; i++) x = add(graph, x, x);
    graph.output(x);
    expect(plan(graph).slots).toEqual([32, 32]);
  });

  it("gives a branch its own slot for as long as it is read", () => {
    const graph = new Graph("residual");
    const branch = add(graph, graph.input("input", [8]), graph.none, { label: "branch" });
    let x = branch;
    for (let i = 0; i < 5; i++) x = add(graph, x, x, { label: `x${i}` });
    graph.output(add(graph, x, branch, { label: "sum" }));
    const { slotOf } = plan(graph);
    const sharing = [...slotOf].filter(([tensor, slot]) => tensor !== branch && slot === slotOf.get(branch));
    expect(sharing).toEqual([]);
    expect(lifetimes(graph).find(({ tensor }) => tensor === branch)).toEqual({ tensor: branch, first: 0, last: 6 });
    expect(lifetimes(graph).at(-1)).toMatchObject({ first: 6, last: 7 });
  });

  it("gives a tensor that nothing reads a slot while it is written", () => {
    const graph = new Graph("dead end");
    const x = add(graph, graph.input("input", [8]), graph.none);
    add(graph, x, x, { label: "unused", shape: [400] });
    graph.output(add(graph, x, x));
    replay(graph);
    expect(plan(graph).slots[0]).toBe(1600);
  });

  it("lists the largest slots first", () => {
    const { slots } = plan(randomGraph(3, 100));
    expect([...slots].sort((a, b) => b - a)).toEqual(slots);
  });
});

describe("submitEnds", () => {
  const chain = (flops: readonly number[]) => {
    const graph = new Graph("chain");
    let x = graph.input("input", [4]);
    for (const flop of flops) x = add(graph, x, x, { flop });
    return graph;
  };

  it("is one submit for all where it fits, or where the speed is unbounded", () => {
    expect(submitEnds(chain([5, 5, 5]), 1, 15)).toEqual([3]);
    expect(submitEnds(chain([1e12, 1e12]), Number.POSITIVE_INFINITY, 500)).toEqual([2]);
  });

  it("cuts before the dispatch that would run over the budget, and lets one that alone is longer run alone", () => {
    expect(submitEnds(chain([5, 5, 5, 5]), 1, 10)).toEqual([2, 4]);
    expect(submitEnds(chain([1, 100, 1, 1]), 1, 10)).toEqual([1, 2, 4]);
    expect(submitEnds(chain([100]), 1, 10)).toEqual([1]);
    expect(submitEnds(chain([100, 100]), 1, 10)).toEqual([1, 2]);
  });

  it("covers all dispatches of random graphs once, in order, each part within the budget", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const graph = randomGraph(seed, 80);
      const ends = submitEnds(graph, 1e3, 1500);
      expect(ends.at(-1)).toBe(80);
      expect(ends.length).toBeGreaterThan(10);
      let begin = 0;
      for (const end of ends) {
        expect(end).toBeGreaterThan(begin);
        const flop = graph.dispatches.slice(begin, end).reduce((sum, dispatch) => sum + dispatch.flop, 0);
        expect(end - begin === 1 || flop / 1e3 <= 1500).toBe(true);
        begin = end;
      }
    }
  });
});
