import { describe, expect, it } from "vitest";
import { packParams } from "../../src/gpu/params.ts";
import { shaderText } from "../../src/graph/shader.ts";
import { ADD } from "./support.ts";

describe("shaderText", () => {
  it("declares every constant of the file, the dispatch's values in place of the file's", () => {
    expect(shaderText(ADD, {}).split("\n")).toEqual([
      "const TILE: u32 = 4;",
      "const FUSED: bool = false;",
      "const EPS: f32 = 1.0;",
      "const SHIFT: i32 = -3;",
      "fn plain() {}",
    ]);
    expect(shaderText(ADD, { TILE: 8, FUSED: true, EPS: 0.25 }).split("\n").slice(0, 3)).toEqual([
      "const TILE: u32 = 8;",
      "const FUSED: bool = true;",
      "const EPS: f32 = 0.25;",
    ]);
  });

  it("refuses a constant the file does not declare, naming those it does", () => {
    expect(() => shaderText(ADD, { TILES: 8 })).toThrow("add.wgsl: no constant TILES; it declares TILE, FUSED, EPS, SHIFT");
  });

  it("takes the text of the condition that holds, and refuses one the file does not know", () => {
    expect(shaderText(ADD, {}, "fast")).toMatch(/fn fast\(\) \{\}$/);
    expect(() => shaderText(ADD, {}, "quick")).toThrow("add.wgsl: no condition quick; it knows fast, half");
  });

  it("keeps directives in front of the constants", () => {
    expect(shaderText(ADD, {}, "half").split("\n").slice(0, 3)).toEqual(["enable f16;", "requires x;", "const TILE: u32 = 4;"]);
  });
});

describe("packParams", () => {
  it("writes each field at its offset in its type, little-endian, into at least one vector", () => {
    const bytes = packParams(ADD, { count: 0xfffffffe, scale: -0.5 });
    const view = new DataView(bytes.buffer);
    expect([bytes.byteLength, view.getUint32(0, true), view.getFloat32(4, true), view.getUint32(8, true)]).toEqual([16, 0xfffffffe, -0.5, 0]);
    const signed = { ...ADD, params: [{ name: "shift", offset: 12, type: "i32" as const }] };
    expect(new DataView(packParams(signed, { shift: -7 }).buffer).getInt32(12, true)).toBe(-7);
  });
});
