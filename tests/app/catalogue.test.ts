import { describe, expect, it } from "vitest";
import { CATALOGUE, isKeptAs, roomFor } from "../../app/model/catalogue.ts";
import { chosenModel, hostsOf, hubOf } from "../../app/model/choice.ts";
import { plan } from "../../src/graph/plan.ts";
import { byteLength, elements } from "../../src/graph/tensor.ts";
import { type Config, VIT_B, type VitConfig } from "../../src/model/config.ts";
import { encodeGraph, expectedTensors, networkWeights } from "../../src/model/network.ts";
import { readGolden } from "../support/goldens.ts";

const tables = (depth: number, globals: readonly number[]) => Array.from({ length: depth }, (_, i) => (globals.includes(i) ? 127 : 27));
const sam = (of: Partial<VitConfig> = {}): Config => {
  const config = { ...VIT_B, imageSize: 1024, grid: 64, storedGrid: 64, adapters: false, ...of };
  return { ...config, tableLengths: tables(config.depth, config.globalBlocks) };
};

const CONFIGS: Readonly<Record<string, Config>> = {
  "lite-medsam": readGolden("lite_medsam").config,
  "mobile-sam": readGolden("mobile_sam").config,
  "slim-sam": sam({ width: 168, mlpWidth: 696 }),
  "slim-sam-50": sam({ width: 384, mlpWidth: 1536 }),
  "sam-med2d": VIT_B,
  medsam: sam(),
  "sam-b": sam(),
  "sam-l": sam({ width: 1024, depth: 24, heads: 16, mlpWidth: 4096, globalBlocks: [5, 11, 17, 23] }),
  "sam-h": sam({ width: 1280, depth: 32, heads: 16, mlpWidth: 5120, globalBlocks: [7, 15, 23, 31] }),
};

describe("the catalogue of models", () => {
  it.each(Object.entries(CONFIGS))("states what %s takes, on the line and on the device", (id, config) => {
    const listed = CATALOGUE.find((one) => one.id === id);
    const file = expectedTensors(config).reduce((sum, { shape }) => sum + 4 * elements(shape), 0);
    const device = networkWeights(config).reduce((sum, tensor) => sum + byteLength(tensor), 0) + plan(encodeGraph(config).graph).activationBytes;
    expect((listed?.bytes ?? 0) / file).toBeCloseTo(1, 1);
    // A decode's memory comes on top.
    expect(listed?.deviceBytes).toBeGreaterThan(device);
    expect(listed?.deviceBytes).toBeLessThan(1.1 * device + 40e6);
  });

  it("knows what of it is kept, and how much room there is as far as a browser tells", () => {
    const slim = CATALOGUE.find(({ id }) => id === "slim-sam");
    expect(slim && isKeptAs(slim, "https://huggingface.co/Zigeng/SlimSAM-uniform-77/resolve/0123/model.safetensors")).toBe(true);
    expect(slim && isKeptAs(slim, "https://huggingface.co/Zigeng/SlimSAM-uniform-50/resolve/0123/model.safetensors")).toBe(false);
    expect(isKeptAs({}, "https://huggingface.co/x/resolve/0123/model.safetensors")).toBe(false);
    expect(roomFor({ deviceMemory: 8 })).toBe(2 ** 32);
    expect(roomFor({ maxTouchPoints: 5 })).toBe(1.4e9);
    expect(roomFor({})).toBeUndefined();
  });
});

describe("the model that the page starts with", () => {
  it("is the one its address names; the policy then names that host, or the hub's, and no other", () => {
    expect(chosenModel("?model=hf:lab/lite")).toEqual({ url: "hf:lab/lite" });
    expect(chosenModel("?dicomweb=https://a.b")).toBeUndefined();
    expect(hostsOf("https://weights.example:8443/a.safetensors?x")).toEqual(["https://weights.example:8443"]);
    expect(hostsOf("hf:lab/lite")).toEqual(["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co"]);
    expect(hostsOf("hf:lab/lite", "https://mirror.example/hf")).toEqual(["https://mirror.example"]);
    for (const none of ["synthetic:7", "weights/a.safetensors", "javascript:alert(1)", "https://"]) expect(hostsOf(none)).toEqual([]);
    expect(hubOf("?hub=https://mirror.example")).toBe("https://mirror.example");
    expect(hubOf("?hub=javascript:1")).toBeUndefined();
  });
});
