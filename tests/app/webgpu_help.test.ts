import { describe, expect, it } from "vitest";
import { explain, recognise } from "../../app/model/webgpu_help.ts";

const AGENTS = {
  chrome: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  edge: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
  firefox: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
  safari: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
  phone: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.0.0 Mobile/15E148 Safari/604.1",
  android: "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
};

describe("the browser", () => {
  it("is recognised, an iPad that calls itself a Mac too", () => {
    expect(recognise(AGENTS.chrome)).toEqual({ browser: "chrome", system: "linux" });
    expect(recognise(AGENTS.edge)).toEqual({ browser: "edge", system: "windows" });
    expect(recognise(AGENTS.firefox)).toEqual({ browser: "firefox", system: "mac" });
    expect(recognise(AGENTS.safari)).toEqual({ browser: "safari", system: "mac" });
    expect(recognise(AGENTS.safari, 5)).toEqual({ browser: "safari", system: "ios" });
    expect(recognise(AGENTS.phone)).toEqual({ browser: "chrome", system: "ios" });
    expect(recognise(AGENTS.android)).toEqual({ browser: "chrome", system: "android" });
  });
});

describe("the advice", () => {
  it.each([
    ["safari", "mac", /version 26/],
    ["chrome", "ios", /iOS or iPadOS 26/],
    ["firefox", "windows", /version 141/],
    ["firefox", "linux", /dom\.webgpu\.enabled/],
    ["chrome", "android", /version 121/],
    ["edge", "linux", /edge:\/\/flags/],
    ["other", "other", /Chrome or Edge 113/],
  ] as const)("without WebGPU in %s on %s", (browser, system, words) => {
    expect(explain("missing", { browser, system }).advice.join(" ")).toMatch(words);
  });

  it("speaks of the address where that is the cause, and of the driver where there is no adapter", () => {
    expect(explain("insecure", { browser: "chrome", system: "linux" }).advice.join()).toMatch(/https/);
    expect(explain("no-adapter", { browser: "chrome", system: "linux" }).advice.join()).toMatch(/Vulkan driver/);
    expect(explain("no-adapter", { browser: "edge", system: "windows" }).advice.join()).toMatch(/edge:\/\/gpu/);
  });
});
