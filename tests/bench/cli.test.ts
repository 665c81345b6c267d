// The bench command: counts without a device, and as a process on Dawn its JSON, CSV and comparison.
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { DEVICE_MODELS } from "../../src/graph/time_model.ts";
import { cli, useFolder } from "../cli/support.ts";

const folder = useFolder();
const at = (name: string) => folder.file(name);

describe("bench, without a device", () => {
  it("counts the published network and gives its floor", async () => {
    const { code, stdout, stderr } = await cli(["bench", "--count", "--gflops", "67000", "--gbs", "4800"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^all +\d+ +69\.\d GFLOP +[\d.]+ GB$/m);
    expect(stdout).toMatch(/floor at 67000 GFLOP\/s and 4800 GB\/s: 1\.\d\d ms/);
  });

  it("models each dispatch on a device that is not here", async () => {
    const { code, stdout, stderr } = await cli(["bench", "--count", "--device", "h100", "--json", "-"]);
    expect(code, stderr).toBe(0);
    const { device, encode, decode } = JSON.parse(stdout);
    expect(device.name).toBe("h100");
    expect(encode.dispatches).toBeLessThanOrEqual(140);
    expect(decode.dispatches).toBeLessThanOrEqual(24);
    // The multiply-adds alone take 1.03 ms; variants chosen without thought 9.
    expect(encode.modelledMs).toBeGreaterThan(1.03);
    expect(encode.modelledMs).toBeLessThan(2.55);
    expect(decode.modelledMs).toBeLessThan(0.29);
    expect(encode.kernels).toHaveLength(encode.dispatches);
    expect(stderr).toMatch(/^encode, f32 on h100, modelled: \d\.\d\d ms/m);
    expect(stderr).toMatch(/^linear +256×768×2304 +\w+\/\d+ +12 × +\d+ × \d+ +\d+ % +[\d.]+ µs {2}\w+$/m);
  });

  it("gives an H100 and an H200 the same variants: browsers hide which of the two it is, and what was timed on one is kept for both", async () => {
    const variants = async (device: string) => {
      const { code, stdout, stderr } = await cli(["bench", "--count", "--device", device, "--json", "-"]);
      expect(code, stderr).toBe(0);
      const { encode, decode } = JSON.parse(stdout) as Record<"encode" | "decode", { kernels: Record<string, unknown>[] }>;
      return [...encode.kernels, ...decode.kernels].map(({ label, variant, workgroups, threads }) => ({ label, variant, workgroups, threads }));
    };
    const [h100, h200] = [await variants("h100"), await variants("h200")];
    expect(h100.some(({ variant }) => typeof variant === "string")).toBe(true);
    expect(h200).toEqual(h100);
  });

  it("takes a device described in a file, and says what one lacks", async () => {
    await writeFile(at("slow.json"), JSON.stringify({ ...DEVICE_MODELS.igpu, name: "slow", ghz: 0.1 }));
    const slow = await cli(["bench", "--count", "--config", "small", "--device", at("slow.json")]);
    expect(slow.code, slow.stderr).toBe(0);
    expect(slow.stdout).toMatch(/encode, f32 on slow, modelled/);
    await writeFile(at("lacking.json"), JSON.stringify({ units: 3, ghz: 0, gbs: "fast" }));
    const lacking = await cli(["bench", "--count", "--device", at("lacking.json")]);
    expect(lacking.code).toBe(2);
    expect(lacking.stderr).toMatch(/wrong: issues, gbs, latency, registers, threads, launchUs, gapUs, ghz/);
  });

  it.each([
    [["--device", "h100"], "it needs --count"],
    [["--count", "--device", "tpu"], "must be one of h100, h200, m2, igpu or a JSON file; got tpu"],
    [["--gflops", "5"], "--gflops and --gbs are given together"],
    [["--runs", "0"], "--runs must be a whole number above 0; got 0"],
    [["--runs", "2.5"], "--runs must be a whole number above 0; got 2.5"],
    [["--config", "tiny"], "--config must be vit_b, small, tiny_vit, lite_medsam, slimsam, slimsam_50, sam_b, sam_l or sam_h; got tiny"],
    [["--weights", "synthetic:7"], "chosen with --config"],
    [["--precision", "f64"], "--precision must be of f32, f16, int8, with commas between; got f64"],
    [["--compare", "nowhere.json"], "--compare nowhere.json: no such file"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await cli(["bench", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("says what a file that is no saved run is", async () => {
    await writeFile(at("other.json"), '{"schema":"other","version":1}');
    const { code, stderr } = await cli(["bench", "--compare", at("other.json")]);
    expect(code).toBe(2);
    expect(stderr).toContain('schema must be sam-med2d-bench, got "other"');
  });
});

describe("bench --count", () => {
  it.each([
    ["tiny_vit", 90],
    ["lite_medsam", 90],
    ["slimsam", 110],
    ["sam_b", 110],
    ["sam_h", 260],
  ])("counts member %s of the family, at most %i dispatches an encode", async (name, most) => {
    const { code, stdout, stderr } = await cli(["bench", "--config", name, "--count"]);
    expect([code, stderr]).toEqual([0, ""]);
    const dispatches = Number(/^all +(\d+)/m.exec(stdout)?.[1]);
    expect(dispatches).toBeGreaterThan(50);
    expect(dispatches).toBeLessThanOrEqual(most);
  });
});
