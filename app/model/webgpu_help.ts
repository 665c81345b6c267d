// When there is no WebGPU: why, and what to do about it in the browser at hand.

export interface WebGpuProblem {
  readonly title: string;
  readonly advice: readonly string[];
}

export type Browser = "chrome" | "edge" | "firefox" | "safari" | "other";
export type System = "windows" | "mac" | "linux" | "android" | "ios" | "other";

/** Null when an adapter is there. */
export async function findWebGpuProblem(): Promise<WebGpuProblem | null> {
  const where = recognise(navigator.userAgent, navigator.maxTouchPoints);
  if (!isSecureContext) return explain("insecure", where);
  if (!navigator.gpu) return explain("missing", where);
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? null : explain("no-adapter", where);
}

export function explain(why: "insecure" | "missing" | "no-adapter", { browser, system }: { browser: Browser; system: System }): WebGpuProblem {
  if (why === "insecure") {
    return {
      title: "WebGPU is switched off on this address",
      advice: ["Browsers give WebGPU to secure pages only: open this page over https, or as http://localhost on the machine that serves it."],
    };
  }
  if (why === "missing") return { title: "This browser has no WebGPU", advice: [update(browser, system)] };
  return { title: "WebGPU found no graphics device", advice: noAdapter(browser, system) };
}

function update(browser: Browser, system: System): string {
  if (system === "ios") return "Update to iOS or iPadOS 26 or later: there every browser has WebGPU.";
  if (browser === "safari") return "Safari has WebGPU from version 26 on. Update macOS, or use a current Chrome or Edge.";
  if (browser === "firefox") {
    if (system === "windows") return "Firefox has WebGPU on Windows from version 141 on. Update it, or use a current Chrome or Edge.";
    if (system === "mac") return "Firefox has WebGPU on Macs with Apple silicon from version 145 on. Update it, or use a current Chrome, Edge or Safari 26.";
    return "Firefox does not switch WebGPU on here yet. Open about:config and set dom.webgpu.enabled to true (works best in Nightly), or use a current Chrome or Edge.";
  }
  if (system === "linux" && browser !== "other") {
    const scheme = browser === "edge" ? "edge" : "chrome";
    return `Update the browser first. If it is current: open ${scheme}://flags, enable "Unsafe WebGPU Support" and "Vulkan", and restart it.`;
  }
  if (system === "android") return "Chrome has WebGPU from version 121 on, Android 12 or later. Update Chrome.";
  return "Use Chrome or Edge 113 or later, Safari 26 or later, or Firefox 141 or later (Windows).";
}

function noAdapter(browser: Browser, system: System): string[] {
  if (browser === "firefox")
    return [
      "Open about:support and look under Graphics for what blocks WebGPU. A newer graphics driver often helps; a current Chrome or Edge may work as well.",
    ];
  if (browser === "safari" || system === "ios") return ["Restart the browser. In a virtual machine or with Lockdown Mode on, WebGPU is not available."];
  const scheme = browser === "edge" ? "edge" : "chrome";
  const advice = [
    `Open ${scheme}://settings/system and switch on "Use graphics acceleration when available", then restart the browser. ${scheme}://gpu says what blocks it.`,
  ];
  if (system === "linux") advice.push(`On Linux, enable "Unsafe WebGPU Support" and "Vulkan" in ${scheme}://flags and install a current Vulkan driver.`);
  advice.push(`Without a graphics card a slow software device works too: start the browser with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.`);
  return advice;
}

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
