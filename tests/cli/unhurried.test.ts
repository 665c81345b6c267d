import { afterEach, expect, it } from "vitest";
import { askDawnUnhurriedly } from "../../src/cli/unhurried.ts";

const { setImmediate } = globalThis;
afterEach(() => Object.assign(globalThis, { setImmediate }));

it("calls native callbacks by a timer, all others at once, and both with what they are given", async () => {
  askDawnUnhurriedly();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  let called = "";
  globalThis.setImmediate(((value: string) => (called += value)).bind(undefined) as (value: string) => void, "native ");
  expect(timers()).toBe(before + 1);
  globalThis.setImmediate((value: string) => (called += value), "own ");
  expect(timers()).toBe(before + 1);
  await expect.poll(() => called).toHaveLength("native own ".length);
});
