// Puts the page together: state, model, inference, and the parts that show them.
// Before all else: a policy holds for what comes after it.
import { allowed } from "./policy.ts";
import { SamError } from "../src/index.ts";
import { chosenModel, hostsOf, hubOf, rememberModel } from "./model/choice.ts";
import { defaultWeights } from "./model/default_weights.ts";
import { Desk } from "./desk.ts";
import { breathe, byId, quiet } from "./dom.ts";
import { openAddress, serverOf } from "./open/dicomweb.ts";
import { progress } from "./open/progress.ts";
import { openSet, setOf } from "./open/sets.ts";
import { startDrop } from "./open/drop.ts";
import { aheadOf } from "./model/ahead.ts";
import { Engine, type Source } from "./model/engine.ts";
import { Inference } from "./model/inference.ts";
import { Actions } from "./actions.ts";
import { Panels } from "./panels/app.tsx";
import type { Case } from "./annotate/case.ts";
import { dropAll, dropFiles } from "./keep/images.ts";
import { EmbeddingFiles } from "./keep/embeddings.ts";
import { chooseFolder, filesIn, mayRead } from "./keep/folders.ts";
import { Keeper } from "./keep/keeper.ts";
import { startOffline } from "./offline/offline.ts";
import { speak, t, translate, wantedLanguage } from "./words/words.ts";
import { Problems } from "./panels/problems.tsx";
import { drawSamples } from "./open/sample_loader.ts";
import { closedSamples, rememberClosed, type SampleId, SAMPLES } from "./open/samples.ts";
import { LinkedViews } from "./stage/linked_views.ts";
import { StageController } from "./stage/stage_controller.ts";
import { initialState, Store } from "./state.ts";
import { findWebGpuProblem } from "./model/webgpu_help.ts";

/** Errors of a device soon after one another are shown, not tried away. */
const RETRY_PAUSE_MS = 20_000;

const store = new Store(initialState());
const problems = new Problems();
let retriedAt = Number.NEGATIVE_INFINITY;

const hub = hubOf(location.search);
const engine = new Engine(
  () => new Worker(new URL("../src/worker/worker.ts", import.meta.url), { type: "module" }),
  {
    onStatus: (model) => {
      // Before the state says so: whoever draws it then must not find the last model's masks.
      if (model.kind === "ready") inference.use(model.model, model.number);
      else if (store.state.model.kind === "ready") inference.use(null, 0);
      store.set({ model, ...(model.kind !== "ready" && { encodeMs: null }) });
      if (model.kind === "ready" && model.source.kind === "default") rememberModel(undefined);
      if (model.kind === "ready" && model.source.kind === "url") rememberModel(model.source);
    },
    onNotice: (words) => problems.tell(t("problem.weights"), "", [], words),
    onRefused: (source, error, kept) => {
      const hosts = source.kind === "url" ? hostsOf(source.url, hub).filter((host) => !allowed.includes(host)) : [];
      // A server that answered was allowed to. One that did not may be forbidden by browsers that hold workers to the page's policy.
      const silent = hosts.length > 0 && error instanceof SamError && !/HTTP/.test(error.message);
      const again = silent ? [{ label: t("menu.reload", { hosts: hosts.join(", ") }), run: () => void reloadWith(source) }] : [];
      problems.show(error, again, kept ? t("menu.kept.still") : "");
    },
  },
  hub,
);

/** The page again, allowed to ask the hosts of these weights. */
async function reloadWith(source: Source): Promise<void> {
  if (source.kind === "url") rememberModel(source);
  await keeper.flush();
  location.reload();
}

const embeddings = new EmbeddingFiles((encoded) => store.set({ encoded }));

const inference: Inference = new Inference(
  {
    ahead: () => aheadOf(desk),
    onActivity: (activity) => store.set({ activity }),
    onEncoded: (encodeMs) => store.set({ encodeMs }),
    onResult: ({ prompts, of }, result) => {
      const asked = of && store.state.cases.find(({ id }) => id === of.id);
      if (asked) desk.annotator.take(asked, of.object, of.place, prompts, result, desk.madeBy());
      store.set({ results: store.state.results + 1 });
    },
    onError: (error) => {
      // A lost device comes back: first on the model's own account, then with a new worker; prompts are kept throughout.
      if (error instanceof SamError && error.code === "device") {
        if (performance.now() - retriedAt > RETRY_PAUSE_MS) {
          retriedAt = performance.now();
          return queueMicrotask(() => inference.retry());
        }
        if (engine.rebuild()) return;
      }
      problems.show(error, [{ label: t("problem.again"), run: () => inference.retry() }]);
    },
  },
  embeddings,
);

// The page is put together in steps, so that it answers in between; meanwhile the browser is asked for WebGPU.
await breathe();
const webgpuFound = findWebGpuProblem();
await speak(wantedLanguage());
translate(document);
store.set({ labels: initialState().labels });
await breathe();
const desk: Desk = new Desk(store, engine, inference, problems);
const panels = new Panels(desk);
await breathe();
const controller = new StageController(desk);
await breathe();
new LinkedViews(desk);
const actions = new Actions(desk, controller, byId("help", HTMLDialogElement), panels);
problems.onChange = () => panels.draw("problems");
progress.show = (opening) => store.set({ opening });
actions.listen();
await panels.start(actions);
startDrop(desk, (error) => problems.show(error));
store.subscribe((state, before) => {
  if (state.cases !== before.cases || state.current !== before.current || state.settings !== before.settings) desk.ask();
});

// After a lost graphics process canvases come back blank, one after the other: all that is drawn is drawn again once they are there.
let redrawing = 0;
const redraw = () => {
  cancelAnimationFrame(redrawing);
  redrawing = requestAnimationFrame(() => store.set({ surfaces: store.state.surfaces + 1 }));
};
addEventListener("contextrestored", redraw, true);
addEventListener("surfaces-restored", redraw);

const keeper = new Keeper(store, problems);
const earlier = await keeper.start();
desk.onClosed = (id) => {
  void keeper.drop(id);
  void dropFiles(id);
};
actions.onClearEncoded = () => embeddings.clear();
actions.onSave = async () => {
  await keeper.flush();
  const { saving } = store.state;
  if (saving.kind === "saved" || saving.kind === "none") store.set({ said: t("saving.all") });
};
actions.onForget = async () => {
  rememberClosed([]);
  await Promise.all([keeper.forgetAll(), dropAll(), embeddings.clear()]);
  location.reload();
};
for (const of of earlier) desk.opening.restore(of);
const own = earlier.filter(({ origin }) => origin === "file");
const reopen = async (folder: FileSystemDirectoryHandle) => {
  const at = store.state.current;
  try {
    const known = new Set(store.state.cases.map(({ id }) => id));
    await desk.opening.files(await filesIn(folder));
    // Files of cases that are all there already come back to them: whoever works on one stays there.
    if (at && desk.opening.reads.has(at) && store.state.cases.every(({ id, origin }) => origin === "sample" || known.has(id))) desk.select(at);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") problems.tell(t("folder.gone", { name: folder.name }), t("folder.gone.words"));
    else problems.show(error);
  }
};
actions.onFolder = async () => {
  const folder = await chooseFolder();
  if (!folder) return;
  await keeper.keepFolder(folder);
  await reopen(folder);
};
if (own.length > 0) {
  store.set({ cases: [...own, ...store.state.cases] });
  const done = own.filter(({ status }) => status === "done").length;
  const waiting: FileSystemDirectoryHandle[] = [];
  const readable: FileSystemDirectoryHandle[] = [];
  for (const folder of await keeper.folders()) ((await mayRead(folder, false)) ? readable : waiting).push(folder);
  const names = waiting.map(({ name }) => name).join(", ");
  const again = {
    label: t("continue.folder", { names }),
    run: async () => {
      for (const folder of waiting) if (await mayRead(folder, true)) await reopen(folder);
    },
  };
  const open = { label: t("continue.open"), run: () => byId("open-image", HTMLInputElement).click() };
  const all = own.every(({ files }) => files) || (waiting.length === 0 && readable.length > 0);
  problems.tell(t("continue.title", { done, all: own.length }), all ? "" : t("continue.words"), all ? [] : waiting.length > 0 ? [again, open] : [open]);
  desk.select((own.find(({ status, id }) => status !== "done" && desk.opening.reads.has(id)) ?? (own[0] as Case)).id);
  for (const folder of readable) void reopen(folder);
}

const draw = (ids: readonly SampleId[]) =>
  drawSamples(
    ids,
    (drawn) => {
      const before = earlier.find(({ id }) => id === drawn.id);
      const { objects, object, works, labelmap, status, note } = before ?? drawn;
      const of = before?.labelmap ? { ...drawn, objects, object, works, labelmap, status, note } : drawn;
      store.set({ cases: [...store.state.cases, of], current: store.state.current ?? of.id });
    },
    (error) => problems.show(error),
  );
const closed = closedSamples();
draw(SAMPLES.map(({ id }) => id).filter((id) => !closed.includes(id)));
actions.onSamples = () => {
  const again = closedSamples();
  rememberClosed([]);
  // What was marked on them went when they were closed.
  for (const id of again) earlier.splice(0, earlier.length, ...earlier.filter((of) => of.id !== id));
  draw(again);
};

// Sets that were worked on are there again, with what was done on them.
for (const set of new Set(earlier.map(setOf))) if (set) openSet(desk, set, earlier, false).catch((error) => problems.show(error));

const server = serverOf(location.search);
if (server) openAddress(desk, server).catch((error) => problems.show(error));

const webgpu = await webgpuFound;
const weights = defaultWeights();
const chosen = chosenModel(location.search);
if (chosen && !webgpu) void engine.load({ kind: "url", ...chosen });
else if (weights && !webgpu) void engine.load({ kind: "default", ...weights });
store.set({ webgpu, checked: true });
void embeddings.tell();
await quiet();
void startOffline(problems, () => keeper.flush());
