// Another implementation timed in turns: who is asked when, what is said of it, and that a peer that fails costs nothing.
import { describe, expect, it } from "vitest";
import { type GraphName, type Peer, timeInTurns } from "../../src/bench/peer.ts";
import { PeerProcess } from "../../src/cli/peer_process.ts";

const variant = (name: string) => ({ name, embeddingMaxAbsError: 0 });

function peerOf(time: Peer["time"], names = ["slow", "quick"]): Peer {
  return { facts: async () => ({ name: "other", variants: names.map(variant), failed: [{ name: "none", reason: "no compiler" }] }), time };
}

const each = (ms: number, runs: number, gpu = true) => ({ wall: Array(runs).fill(ms + 1), gpu: gpu ? Array(runs).fill(ms) : null });

describe("a peer", () => {
  it("is timed in turns, there and back, and set against ours by the GPU's clock", async () => {
    const order: string[] = [];
    const report = await timeInTurns(
      peerOf(async (name, graph, runs) => {
        order.push(`${name} ${graph} ${runs}`);
        return each(name === "slow" ? 8 : 2, runs);
      }),
      8,
      async (graph, runs) => {
        order.push(`ours ${graph} ${runs}`);
        return each(4, runs);
      },
    );
    expect(order.slice(0, 6)).toEqual(["ours encode 5", "slow encode 5", "quick encode 5", "quick encode 3", "slow encode 3", "ours encode 3"]);
    expect(report.variants.map(({ name, ratio }) => [name, ratio.encode, ratio.decode])).toEqual([
      ["slow", 2, 2],
      ["quick", 0.5, 0.5],
    ]);
    expect(report.ours.encode.gpu?.count).toBe(8);
    expect(report.failed).toEqual([{ name: "none", reason: "no compiler" }]);
  });

  it("without a GPU's clock is set against ours by the wall clock", async () => {
    const report = await timeInTurns(
      peerOf(async (_, __, runs) => each(9, runs, false), ["one"]),
      2,
      async (_, runs) => each(4, runs),
    );
    expect(report.variants[0]?.ratio.encode).toBe(2);
  });

  it("that fails in the middle is left out and told", async () => {
    const time = async (name: string, graph: GraphName, runs: number) => {
      if (name === "slow" && graph === "decode") throw new Error("out of memory");
      return each(2, runs);
    };
    const report = await timeInTurns(peerOf(time), 5, async (_, runs) => each(4, runs));
    expect(report.variants.map(({ name }) => name)).toEqual(["quick"]);
    expect(report.failed).toContainEqual({ name: "slow", reason: "out of memory" });
  });
});

describe("a peer's process", () => {
  const script = (code: string) => `"${process.execPath}" -e '${code}'`;

  it("says what it can run and answers line by line", async () => {
    const facts = JSON.stringify({ name: "echo", variants: [variant("a")], failed: [] });
    const answer = 'process.stdin.on("data", (line) => console.log(JSON.stringify({ gpu: null, wall: Array(JSON.parse(line).runs).fill(1) })))';
    const peer = new PeerProcess(script(`console.log(${JSON.stringify(facts)}); ${answer}`));
    expect(await peer.facts()).toMatchObject({ name: "echo" });
    expect(await peer.time("a", "encode", 3)).toEqual({ gpu: null, wall: [1, 1, 1] });
    peer.end();
    await expect(peer.time("a", "encode", 3)).rejects.toThrow("the peer was ended");
  });

  it("that ends is told with the last it said", async () => {
    const peer = new PeerProcess(script('console.error("no torch here"); process.exit(3)'));
    await expect(peer.facts()).rejects.toThrow("the peer ended with code 3: no torch here");
  });
});
