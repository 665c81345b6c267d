// What encode and decode cost before any device is asked: work, traffic, the floor on a device of given speed, and the time by a device's model.
import { benchGraphs, type Subject } from "../src/bench/configurations.ts";
import { countGraph, countOps, type Speed, totalFloorMs } from "../src/bench/counts.ts";
import { MODELLED_HEAD, modelledGraph, modelledRows } from "../src/bench/modelled.ts";
import { amount, time } from "../src/bench/numbers.ts";
import type { Graph } from "../src/graph/graph.ts";
import type { Target } from "../src/graph/target.ts";
import type { DeviceModel } from "../src/graph/time_model.ts";
import { make, table } from "./dom.ts";

function card(title: string, graph: Graph, speed: Speed, onGpu: Graph, device: DeviceModel): HTMLElement {
  const { dispatches, flop, bytes, weightBytes, activationBytes } = countGraph(graph);
  const row = (name: string, count: number, work: number, traffic: number) => [name, String(count), amount(work, "FLOP"), amount(traffic, "B")];
  const rows = countOps(graph.dispatches).map((op) => row(op.op, op.dispatches, op.flop, op.bytes));
  const modelled = modelledGraph(onGpu, device);
  const summary = `Each dispatch on ${device.name}, by the model`;
  const figure = (term: string, value: string, className = "") => make("div", { className }, make("dt", {}, term), make("dd", {}, value));
  return make(
    "div",
    { className: "graph" },
    make("h3", {}, title),
    make(
      "dl",
      { className: "figures" },
      figure("floor", time(totalFloorMs(graph.dispatches, speed)), "lead"),
      figure(`modelled, ${device.name}`, time(modelled.modelledMs)),
      figure("dispatches", String(dispatches)),
      figure("weights", amount(weightBytes, "B")),
      figure("activations", amount(activationBytes, "B")),
    ),
    make("div", { className: "wide" }, table(["op", "dispatches", "work", "traffic"], rows, row("all", dispatches, flop, bytes))),
    make(
      "details",
      { className: "modelled" },
      make("summary", {}, summary),
      make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: `${title}: ${summary}` }, table(MODELLED_HEAD, modelledRows(modelled))),
    ),
  );
}

/** `gpu` is what the device of the model would record: this adapter may be a software one. */
export function showPaper(
  place: HTMLElement,
  subject: Pick<Subject, "golden" | "config">,
  target: Target,
  speed: Speed,
  gpu: Target & { readonly model: DeviceModel },
): void {
  const { encode, decode } = benchGraphs(subject, target);
  const onGpu = benchGraphs(subject, gpu);
  const open = [...place.querySelectorAll("details")].map((details) => details.open);
  place.replaceChildren(card("Encode one image", encode, speed, onGpu.encode, gpu.model), card("Decode one box", decode, speed, onGpu.decode, gpu.model));
  place.querySelectorAll("details").forEach((details, i) => {
    details.open = open[i] ?? false;
  });
}
