// Every kernel through every compiler of WGSL that runs without the system it is for: Tint (Chromium's, in Dawn) to SPIR-V, with the validation of
// SPIRV-Tools, and naga (Firefox's, in wgpu) to SPIR-V, MSL and HLSL.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NagaError, parseWgsl, validate, writeHlsl, writeMsl, writeSpirv } from "naga-wasm";
import { expect, it } from "vitest";
import { SOFTWARE_KERNELS } from "../../src/gpu/software.ts";
import { adapterFeatures, describeGpu } from "../support/dawn.ts";
import { linkedTexts } from "../support/linked.ts";
import { QUICK } from "../support/quick.ts";

const KERNELS = linkedTexts();
const DUMP = fileURLToPath(new URL("../support/dawn_dump.mjs", import.meta.url));
/** Those that a GPU runs again and again. Weights are unpacked once, and probes and software adapters gain nothing by it. */
const ONLY_ELSEWHERE = new Set([...Object.values(SOFTWARE_KERNELS).map(({ name }) => name), "unpack", "probe_copy", "probe_fma"]);

it("are all there: a text of every file of shaders/", () => {
  const files = readdirSync(fileURLToPath(new URL("../../shaders", import.meta.url))).filter((name) => name.endsWith(".wgsl"));
  const seen = new Set(KERNELS.map(({ name }) => `${name.split(" ")[0]}.wgsl`));
  expect(files.filter((file) => !seen.has(file))).toEqual([]);
  for (const name of ["matmul f16", "matmul f16_products", "matmul int8", "matmul_lanes f16_products", "unpack int8"])
    expect(KERNELS.map((kernel) => kernel.name)).toContain(name);
});

it("are taken by naga and written as SPIR-V, MSL and HLSL", () => {
  const complaints = KERNELS.flatMap(({ name, text }) => {
    try {
      // naga knows subgroups by their functions and not yet by the name of the extension: Firefox does not offer it.
      const module = parseWgsl(text.replace(/^enable subgroups;\n?/m, ""));
      const info = validate(module);
      const written = [
        writeSpirv(module, info).length,
        writeMsl(module, info, { langVersion: [2, 4] }).length,
        writeHlsl(module, info, { shaderModel: "6_2" }).length,
      ];
      info.free();
      module.free();
      return written.every((length) => length > 100) ? [] : [`${name}: ${written}`];
    } catch (error) {
      return [`${name}: ${error instanceof NagaError ? error.formatted : error}`];
    }
  });
  expect(complaints).toEqual([]);
});

it("store no single component of a vector in workgroup memory, which compilers for phones are weak at", () => {
  const stores = KERNELS.filter(({ name }) => !ONLY_ELSEWHERE.has(name.split(" ")[0] as string)).flatMap(({ name, text }) => {
    const vectors = [...text.matchAll(/var<workgroup>\s*(\w+)\s*:\s*array<(?:vec4f|vec4<f32>|Factor)/g)].map(([, variable]) => variable);
    return vectors
      .flatMap((variable) => text.match(new RegExp(`\\b${variable}\\[[^\\n;=]*\\](\\[[^\\n;=]*\\]|\\.[xyzw])\\s*[-+*/]?=[^=]`, "g")) ?? [])
      .map((store) => `${name}: ${store}`);
  });
  expect(KERNELS.some(({ text }) => /var<workgroup>\s*rows\s*:\s*array<vec4/.test(text))).toBe(true);
  expect(stores).toEqual([]);
});

it("naga does complain of what is wrong", () => {
  const wrong = parseWgsl("@group(0) @binding(0) var<storage, read> x: array<f32>; @compute @workgroup_size(1) fn main() { x[0] = 1.0; }");
  expect(() => validate(wrong)).toThrow();
});

/** What Tint makes of each text, and what it says of it. */
function tint(texts: readonly string[]): { spirv: string; messages: string[] }[] {
  const folder = mkdtempSync(join(tmpdir(), "front-ends-"));
  try {
    const [input, output] = [join(folder, "texts.json"), join(folder, "dump.txt")];
    writeFileSync(input, JSON.stringify(texts));
    const file = openSync(output, "w");
    const { status, stderr } = spawnSync(process.execPath, [DUMP, input], { stdio: ["ignore", file, "pipe"], encoding: "utf8" });
    closeSync(file);
    if (status !== 0) throw new Error(`dawn_dump.mjs ended with ${status}: ${stderr}`);
    return readFileSync(output, "utf8")
      .split(/^#text \d+$/m)
      .slice(1)
      .map((spirv) => ({ spirv, messages: [...spirv.matchAll(/^#message (.*)$/gm)].map(([, message]) => message as string) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Counters of two words that Tint adds to loops of which it cannot tell that they end: `tint_loop_idx`, whose name the SPIR-V does not keep. */
const counters = (spirv: string) => (spirv.match(/OpIEqual %v2bool[^\n]*\n[^\n]*OpAll %bool/g) ?? []).length;
const LOOP = (bound: string) =>
  `@group(0) @binding(0) var<storage, read_write> y: array<u32>; @compute @workgroup_size(1) fn main() { for (var i = 0u; i < ${bound}; i++) { y[i] = i; } }`;

// The tests in tests/ops/ compile each kernel with it too, as it is used.
if (!QUICK)
  describeGpu("on this machine's adapter", () => {
    it("are taken by Tint without a word, and none of a GPU's has a loop of which it cannot tell that it ends", () => {
      const can = ({ text }: { text: string }) =>
        [...text.matchAll(/^enable (\w+);/gm)].every(([, name]) => adapterFeatures().has(name === "f16" ? "shader-f16" : (name as string)));
      const here = KERNELS.filter(can);
      const [guarded, plain, ...made] = tint([LOOP("y[9]"), LOOP("9u"), ...here.map(({ text }) => text)]);
      // What is looked for can be seen.
      expect([counters(guarded?.spirv ?? ""), counters(plain?.spirv ?? "")]).toEqual([1, 0]);
      expect(made.length).toBe(here.length);
      const said = made.flatMap(({ messages }, i) => messages.map((message) => `${here[i]?.name}: ${message}`));
      expect(said).toEqual([]);
      const unsure = made.flatMap(({ spirv }, i) => {
        const { name } = here[i] as (typeof here)[number];
        expect(spirv, name).toContain("OpFunctionEnd");
        return counters(spirv) > 0 && !ONLY_ELSEWHERE.has(name.split(" ")[0] as string) ? [`${name}: ${counters(spirv)}`] : [];
      });
      expect([...new Set(unsure)]).toEqual([]);
    });
  });
