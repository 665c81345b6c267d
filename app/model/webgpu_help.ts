// When there is no WebGPU: why, and what to do about it in the browser at hand.
import { t } from "../words/words.ts";

export interface WebGpuProblem {
  readonly why: "insecure" | "missing" | "no-adapter";
  readonly browser: Browser;
  readonly system: System;
}

export type Browser = "chrome" | "edge" | "firefox" | "safari" | "other";
export type System = "windows" | "mac" | "linux" | "android" | "ios" | "other";

/** Null when an adapter is there. */
export async function findWebGpuProblem(): Promise<WebGpuProblem | null> {
  const where = recognise(navigator.userAgent, navigator.maxTouchPoints);
  if (!isSecureContext) return { why: "insecure", ...where };
  if (!navigator.gpu) return { why: "missing", ...where };
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? null : { why: "no-adapter", ...where };
}

/** In the page's language. */
export function explain(
  why: WebGpuProblem["why"],
  { browser, system }: { readonly browser: Browser; readonly system: System },
): { readonly title: string; readonly advice: readonly string[] } {
  if (why === "insecure") return { title: t("webgpu.insecure"), advice: [t("webgpu.insecure.words")] };
  if (why === "missing") return { title: t("webgpu.missing"), advice: [update(browser, system)] };
  return { title: t("webgpu.noadapter"), advice: noAdapter(browser, system) };
}

function update(browser: Browser, system: System): string {
  if (system === "ios") return t("webgpu.ios");
  if (browser === "safari") return t("webgpu.safari");
  if (browser === "firefox") return t(`webgpu.firefox.${system === "windows" || system === "mac" ? system : "other"}`);
  if (system === "linux" && browser !== "other") return t("webgpu.linux", { scheme: schemeOf(browser) });
  return t(system === "android" ? "webgpu.android" : "webgpu.other");
}

function noAdapter(browser: Browser, system: System): string[] {
  if (browser === "firefox") return [t("webgpu.firefox.blocked")];
  if (browser === "safari" || system === "ios") return [t("webgpu.restart")];
  const scheme = schemeOf(browser);
  return [t("webgpu.acceleration", { scheme }), ...(system === "linux" ? [t("webgpu.driver", { scheme })] : []), t("webgpu.software")];
}

const schemeOf = (browser: Browser) => (browser === "edge" ? "edge" : "chrome");

export function recognise(userAgent: string, touchPoints = 0): { browser: Browser; system: System } {
  const has = (pattern: RegExp) => pattern.test(userAgent);
  // An iPad calls itself a Mac, but has fingers.
  const ios = has(/iPhone|iPad|iPod/) || (has(/Macintosh/) && touchPoints > 1);
  const system = ios ? "ios" : has(/Android/) ? "android" : has(/Windows/) ? "windows" : has(/Macintosh/) ? "mac" : has(/Linux|CrOS/) ? "linux" : "other";
  const browser = has(/Edg(A|iOS)?\//)
    ? "edge"
    : has(/Firefox|FxiOS/)
      ? "firefox"
      : has(/Chrome|Chromium|CriOS/)
        ? "chrome"
        : has(/Safari/)
          ? "safari"
          : "other";
  return { browser, system };
}
