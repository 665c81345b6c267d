// What encode and decode cost before any device is asked: work, traffic, and the floor on a device of given speed.
import { benchGraphs, type Subject } from "../src/bench/configurations.ts";
import { countGraph, countOps, type Speed, totalFloorMs } from "../src/bench/counts.ts";
import { amount, time } from "../src/bench/numbers.ts";
import type { Graph } from "../src/graph/graph.ts";
import type { Target } from "../src/graph/target.ts";
import { make, table } from "./dom.ts";

function card(title: string, graph: Graph, speed: Speed): HTMLElement {
  const { dispatches, flop, bytes, weightBytes, activationBytes } = countGraph(graph);
  const row = (name: string, count: number, work: number, traffic: number) => [name, String(count), amount(work, "FLOP"), amount(traffic, "B")];
  const rows = countOps(graph.dispatches).map((op) => row(op.op, op.dispatches, op.flop, op.bytes));
  const figure = (term: string, value: string, className = "") => make("div", { className }, make("dt", {}, term), make("dd", {}, value));
  return make(
    "div",
    { className: "graph" },
    make("h3", {}, title),
    make(
      "dl",
      { className: "figures" },
      figure("floor", time(totalFloorMs(graph.dispatches, speed)), "lead"),
      figure("dispatches", String(dispatches)),
      figure("weights", amount(weightBytes, "B")),
      figure("activations", amount(activationBytes, "B")),
    ),
    make("div", { className: "wide" }, table(["op", "dispatches", "work", "traffic"], rows, row("all", dispatches, flop, bytes))),
  );
}

export function showPaper(place: HTMLElement, subject: Pick<Subject, "golden" | "config">, target: Target, speed: Speed): void {
  const { encode, decode } = benchGraphs(subject, target);
  place.replaceChildren(card("Encode one image", encode, speed), card("Decode one box", decode, speed));
}
