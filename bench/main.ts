// The profiling page: counts, then a run, then what it gave.
// `?autorun=1&config=small&runs=5&precision=f32,f16&weights=ADDRESS&wall` starts by itself.
import { openBenchDevice } from "../src/bench/adapter.ts";
import { checkpointSubject, CONFIGURATIONS, isConfiguration, type Subject, syntheticSubject } from "../src/bench/configurations.ts";
import { isPrecision, type Precision, PRECISIONS, targetIn } from "../src/bench/precision.ts";
import { percent } from "../src/bench/numbers.ts";
import { measure } from "../src/bench/measure.ts";
import { type Environment, parseReport } from "../src/bench/report.ts";
import { openCheckpoint } from "../src/checkpoint/open.ts";
import { GPU_TARGET, type Target } from "../src/graph/target.ts";
import { DEVICE_MODELS } from "../src/graph/time_model.ts";
import { byId, make } from "./dom.ts";
import { showPaper } from "./paper.ts";
import { ResultView } from "./result_view.ts";
import { startTheme } from "./theme.ts";

const query = new URLSearchParams(location.search);
const form = byId("form", HTMLFormElement);
const config = byId("config", HTMLSelectElement);
const weights = byId("weights", HTMLInputElement);
const weightsField = byId("weights-field", HTMLElement);
const runs = byId("runs", HTMLInputElement);
const precisions = byId("precisions", HTMLFieldSetElement);
const start = byId("start", HTMLButtonElement);
const stop = byId("stop", HTMLButtonElement);
const going = byId("going", HTMLElement);
const progress = byId("progress", HTMLProgressElement);
const step = byId("step", HTMLElement);
const problem = byId("problem", HTMLElement);
const saved = byId("saved", HTMLInputElement);
const speed = byId("speed", HTMLFormElement);
const deviceModel = byId("device-model", HTMLSelectElement);
deviceModel.append(...Object.values(DEVICE_MODELS).map(({ name }) => new Option(name, name, name === "m2", name === "m2")));
const view = new ResultView();

let target: Target = GPU_TARGET;
let running: AbortController | undefined;

/** For scripts that drive the page: `idle`, `running`, `done`, `failed`. */
function state(name: "idle" | "running" | "done" | "failed"): void {
  document.documentElement.dataset.state = name;
}

function fail(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}

function environment(): Environment {
  return { runtime: "browser", agent: navigator.userAgent, platform: navigator.platform || "unknown platform", cores: navigator.hardwareConcurrency };
}

async function subject(signal: AbortSignal): Promise<Subject> {
  const address = query.get("weights");
  const file = weights.files?.[0];
  if (config.value !== "file" && isConfiguration(config.value)) return syntheticSubject(config.value);
  const chosen = file ?? (address === null ? undefined : new URL(address, location.href));
  if (!chosen) throw new Error("Choose a weights file first: safetensors or .pth.");
  return checkpointSubject(await openCheckpoint(chosen, { signal }));
}

/** A box for each that the device offers; none to choose where it is one. */
function offerPrecisions(): void {
  const wanted = query.get("precision")?.split(",") ?? ["f32"];
  const boxes = PRECISIONS.map((name) => make("label", {}, make("input", { type: "checkbox", value: name, checked: wanted.includes(name) }), name));
  precisions.append(...boxes);
  const unknown = wanted.filter((name) => !isPrecision(name));
  if (unknown.length > 0) fail(new Error(`precision=${unknown.join(",")} must be of ${PRECISIONS.join(", ")}.`));
  precisions.addEventListener("change", paper);
}

function chosenPrecisions(): Precision[] {
  const checked = [...precisions.querySelectorAll("input")].filter((box) => box.checked);
  return checked.map(({ value }) => value as Precision);
}

async function run(): Promise<void> {
  const controller = new AbortController();
  running = controller;
  state("running");
  problem.hidden = true;
  start.disabled = true;
  stop.hidden = false;
  going.hidden = false;
  step.textContent = "Opening the weights";
  let opened: Subject | undefined;
  try {
    opened = await subject(controller.signal);
    const report = await measure({
      subject: opened,
      environment: environment(),
      runs: runs.valueAsNumber,
      precisions: chosenPrecisions(),
      timestamps: !query.has("wall"),
      signal: controller.signal,
      onProgress: (words, done, total) => {
        progress.max = total || 1;
        progress.value = done;
        const text = total > 1 ? `${words}, ${percent(done / total)}` : words;
        // A screen reader is told of each step once, not of each percent.
        if (step.dataset.step !== words) step.setAttribute("aria-label", words);
        step.dataset.step = words;
        step.textContent = text;
      },
    });
    view.show(report);
    state("done");
  } catch (error) {
    if (controller.signal.aborted) state("idle");
    else {
      fail(error);
      state("failed");
    }
  } finally {
    await opened?.checkpoint.close();
    running = undefined;
    start.disabled = false;
    stop.hidden = true;
    going.hidden = true;
  }
}

function paper(): void {
  const name = isConfiguration(config.value) ? config.value : "vit_b";
  const gflops = byId("gflops", HTMLInputElement).valueAsNumber;
  const gbs = byId("gbs", HTMLInputElement).valueAsNumber;
  if (!(gflops > 0 && gbs > 0)) return;
  const { golden } = syntheticSubject(name);
  const [precision = "f32"] = chosenPrecisions();
  const model = Object.values(DEVICE_MODELS).find((device) => device.name === deviceModel.value) ?? DEVICE_MODELS.m2;
  const gpu = { ...targetIn(GPU_TARGET, precision), model };
  showPaper(byId("paper", HTMLElement), { golden, config: CONFIGURATIONS[name] }, targetIn(target, precision), { gflops, gbs }, gpu);
}

function configChanged(): void {
  weightsField.hidden = config.value !== "file";
  paper();
}

/** Says which adapter there is, and chooses a network it can run while someone looks on. */
async function lookAtAdapter(): Promise<boolean> {
  const place = byId("adapter", HTMLElement);
  try {
    const { gpu, adapter } = await openBenchDevice();
    gpu.device.destroy();
    target = gpu.target;
    const kind = adapter.kind === "cpu" ? "a software adapter, which computes on the CPU" : "a GPU";
    const clock = adapter.features.includes("timestamp-query") ? "it has timestamps" : "it has no timestamps, so the wall clock is used";
    place.textContent = `${adapter.description}: ${kind}; ${clock}.`;
    if (!query.has("config") && !query.has("weights") && adapter.kind === "cpu") config.value = "small";
    return true;
  } catch (error) {
    place.textContent = "This browser offers no WebGPU adapter. Counts and saved runs can be looked at all the same.";
    start.disabled = true;
    if (query.has("autorun")) fail(error);
    return false;
  }
}

async function main(): Promise<void> {
  startTheme(byId("theme", HTMLButtonElement), byId("theme-name", HTMLElement));
  const wanted = query.get("config");
  if (wanted !== null && isConfiguration(wanted)) config.value = wanted;
  else if (wanted !== null && wanted !== "file") fail(new Error(`config=${wanted} is not known: vit_b, small or file.`));
  if (query.has("weights")) config.value = "file";
  const times = Number(query.get("runs"));
  if (Number.isInteger(times) && times >= 1) runs.valueAsNumber = times;
  offerPrecisions();
  state("idle");
  const usable = await lookAtAdapter();
  configChanged();
  if (!usable) return state("failed");
  if (query.get("autorun") === "1") await run();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) void run();
});
stop.addEventListener("click", () => running?.abort(new Error("stopped")));
config.addEventListener("change", configChanged);
speed.addEventListener("input", paper);
speed.addEventListener("submit", (event) => event.preventDefault());
saved.addEventListener("change", async () => {
  const [file] = saved.files ?? [];
  if (!file) return;
  problem.hidden = true;
  try {
    view.open(parseReport(await file.text()));
  } catch (error) {
    fail(error);
    problem.scrollIntoView({ block: "center" });
  }
  saved.value = "";
});

await main();
