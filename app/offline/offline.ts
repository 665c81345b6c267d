// The built page without a network: it is kept on this machine after the first visit, and a new version takes over when its user says so.
import { byId } from "../dom.ts";
import type { Problems } from "../panels/problems.tsx";
import { t } from "../words/words.ts";

/** A page stays open for days: it looks for a new version when it is looked at again, this rarely. */
const LOOK_AFTER_MS = 3_600_000;

/** `beforeReload` brings to safety what was done. Where the page was not built with a service worker nothing happens. */
export async function startOffline(problems: Problems, beforeReload: () => Promise<void>): Promise<void> {
  if (!document.querySelector("meta[name=version]") || !navigator.serviceWorker) return;
  const workers = navigator.serviceWorker;
  const hadOne = workers.controller !== null;
  let asked = false;
  const reload = async () => {
    await beforeReload();
    location.reload();
  };
  workers.addEventListener("controllerchange", () => {
    // Another tab said so: this one goes on with its own version until it is asked itself.
    if (asked) void reload();
  });
  try {
    // Relative to the page: it may lie in a folder.
    const registration = await workers.register(new URL("service_worker.js", document.baseURI), { updateViaCache: "none" });
    const tell = () => {
      const waiting = registration.waiting;
      if (!waiting || !workers.controller) return;
      const run = () => {
        asked = true;
        if (registration.waiting) registration.waiting.postMessage("take over");
        else void reload();
      };
      problems.tell(t("offline.new"), t("offline.new.words"), [{ label: t("offline.reload"), run }]);
    };
    tell();
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing?.addEventListener("statechange", () => installing.state === "installed" && tell());
    });
    let looked = performance.now();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible" || performance.now() - looked < LOOK_AFTER_MS) return;
      looked = performance.now();
      // Without a network there is none.
      void registration.update().catch(() => {});
    });
    if (!hadOne) await workers.ready;
    byId("offline", HTMLElement).hidden = false;
  } catch (error) {
    // A browser that forbids it (a private window) shows the page as ever, from the network.
    console.info(`This page is not kept for use without a network: ${error instanceof Error ? error.message : error}`);
  }
}
