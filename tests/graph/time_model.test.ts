import { describe, expect, it } from "vitest";
import { DEVICE_MODELS, deviceModelOf, modelledMs, modelledTime, type Timed } from "../../src/graph/time_model.ts";

const H100 = DEVICE_MODELS.h100;
/** Ten thousand steps of a hundred instructions, by one warp a workgroup. */
const busy = (workgroups: number, more: Partial<Timed["work"]> = {}): Timed => ({
  flop: 0,
  bytes: 0,
  workgroups: [workgroups, 1, 1],
  work: { threads: 32, steps: 1e4, instructions: 100, registers: 32, ...more },
});

describe("time model", () => {
  it("takes the wait for memory where little is to be done, and hides it behind loads that go ahead", () => {
    const { us, limit } = modelledTime(busy(1), H100);
    expect(us).toBeCloseTo((1e4 * (900 + 100)) / 1980 + H100.launchUs, 3);
    expect(limit).toBe("latency");
    expect(modelledTime(busy(1, { ahead: true }), H100).us).toBeCloseTo((1e4 * 900) / 1980 + H100.launchUs, 3);
  });

  it("takes no longer for workgroups beside each other until the schedulers are full, then twice as long for twice as many", () => {
    const one = modelledTime(busy(1, { ahead: true }), H100).us;
    expect(modelledTime(busy(132, { ahead: true }), H100).us).toBe(one);
    const full = modelledTime(busy(132 * 64, { ahead: true }), H100);
    expect(full.limit).toBe("issue");
    expect((modelledTime(busy(132 * 128, { ahead: true }), H100).us - H100.launchUs) / (full.us - H100.launchUs)).toBeCloseTo(2, 5);
  });

  it("fits fewer workgroups at once the more registers a thread takes", () => {
    expect(modelledTime(busy(132 * 64, { registers: 256 }), H100).us).toBeGreaterThan(2 * modelledTime(busy(132 * 64), H100).us);
  });

  it("is never faster than the memory", () => {
    const { us, limit } = modelledTime({ ...busy(132), bytes: 27e9 }, H100);
    expect(us).toBeCloseTo(1e4 + H100.launchUs, 3);
    expect(limit).toBe("bandwidth");
  });

  it("says how much of the device has something to do, and adds a gap before each dispatch", () => {
    expect(modelledTime(busy(66), H100).fill).toBeCloseTo(66 / 528, 6);
    const small = { ...busy(1), work: { threads: 32, steps: 1, instructions: 10 } };
    expect(modelledTime(small, H100).limit).toBe("gap");
    expect(modelledMs([small, small], H100)).toBeCloseTo((2 * (modelledTime(small, H100).us + H100.gapUs)) / 1e3, 9);
  });

  it.each([
    [{ vendor: "apple", architecture: "metal-3" }, "m2"],
    [{ vendor: "intel", architecture: "gen-12lp" }, "igpu"],
    [{ vendor: "nvidia", architecture: "hopper" }, "h100"],
    [{ vendor: "", architecture: "" }, "h100"],
  ])("describes %j as %s", (adapter, name) => {
    expect(deviceModelOf(adapter).name).toBe(name);
  });
});
