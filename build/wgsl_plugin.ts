// Vite plugin: `import shader from "shaders/x.wgsl"` gives a `Shader` (src/graph/shader.ts).
// Imports and `@if` are linked with wesl and bindings are read with wgsl_reflect here, at build time, so neither is shipped.
import { deepStrictEqual } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { link } from "wesl/core";
import type { Plugin } from "vite";
import { declared, type Scalar, type Shader, type ShaderBinding, type ShaderField } from "../src/graph/shader.ts";

const CONSTANT = /^\s*const\s+([A-Z][A-Z0-9_]*)\s*:\s*(u32|i32|f32|bool)\s*=\s*(true|false|[-0-9.]+)[uif]?\s*;.*$/gm;

/** All `.wgsl` files below `root`, as wesl module path → source. */
function readSources(root: string): Record<string, string> {
  const sources: Record<string, string> = {};
  for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (entry.endsWith(".wgsl")) sources[entry.split(sep).join("/")] = readFileSync(join(root, entry), "utf8");
  }
  return sources;
}

/** Names used in `@if(name)` by a module and everything it imports. */
function conditionNames(module: string, sources: Record<string, string>, seen = new Set<string>()): Set<string> {
  const names = new Set<string>();
  if (seen.has(module)) return names;
  seen.add(module);
  const source = sources[`${module}.wgsl`] ?? "";
  for (const [, expression] of source.matchAll(/@(?:if|elif)\s*\(([^)]*)\)/g)) {
    for (const [name] of (expression ?? "").matchAll(/[a-z]\w*/g)) names.add(name);
  }
  for (const [, path] of source.matchAll(/import\s+package::([\w:]+)::[\w{]/g)) {
    for (const name of conditionNames((path ?? "").replaceAll("::", "/"), sources, seen)) names.add(name);
  }
  return names;
}

/** Comments and indentation are for the reader of the source; the driver gets neither. */
function strip(code: string): string {
  return code
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}

/** Short names and no blanks where WGSL needs none. Minus signs keep theirs: two of them would be another token. */
function squeeze(code: string): string {
  return code.replace(/\b(vec[234]|mat[234]x[234])<([fui])(?:32)>/g, "$1$2").replace(/ ?([=%<>!&|{}()[\],;:*/+]+) ?/g, "$1");
}

/** The text without its functions: bindings and structs are all that is reflected, and the parser trips over some valid bodies. */
function declarations(code: string): string {
  let kept = "";
  let rest = code;
  for (let start = rest.search(/(@[^;{}]*)?\bfn\s/); start >= 0; start = rest.search(/(@[^;{}]*)?\bfn\s/)) {
    kept += rest.slice(0, start);
    let end = rest.indexOf("{", start) + 1;
    for (let depth = 1; depth > 0; end++) depth += rest[end] === "{" ? 1 : rest[end] === "}" ? -1 : 0;
    rest = rest.slice(end);
  }
  return kept + rest;
}

async function reflect(code: string): Promise<{ bindings: ShaderBinding[]; params: ShaderField[] }> {
  const { WgslReflect } = await import("wgsl_reflect/wgsl_reflect.module.js");
  const reflection = new WgslReflect(declarations(code));
  const bindings: ShaderBinding[] = [];
  let params: ShaderField[] = [];
  for (const resource of reflection.getBindGroups()[0] ?? []) {
    if (!resource) continue;
    const uniform = code.includes(`var<uniform> ${resource.name}`);
    bindings.push({ name: resource.name, index: resource.binding, access: uniform ? "uniform" : resource.access === "read" ? "read" : "write" });
    if (uniform) {
      const struct = reflection.structs.find((s: { name: string }) => s.name === resource.type.name);
      if (!struct) throw new Error(`uniform ${resource.name} must be a struct`);
      params = struct.members.map((m: { name: string; offset: number; type: { name: string } }) => ({
        name: m.name,
        offset: m.offset,
        type: m.type.name as Scalar,
      }));
    }
  }
  return { bindings, params };
}

async function loadShader(shaderRoot: string, file: string): Promise<Shader> {
  const sources = readSources(shaderRoot);
  const module = relative(shaderRoot, file)
    .split(sep)
    .join("/")
    .replace(/\.wgsl$/, "");
  const names = [...conditionNames(module, sources)].sort();
  const code: Record<string, string> = {};
  const constants: Record<string, Shader["constants"][string]> = {};
  let reflected: Awaited<ReturnType<typeof reflect>> | undefined;
  // One condition at a time, or none: each makes another text.
  for (const key of ["", ...names]) {
    const conditions = Object.fromEntries(names.map((name) => [name, name === key]));
    const linked = await link({ weslSrc: sources, rootModuleName: module, conditions, debugWeslRoot: "shaders" });
    const text = strip(linked.dest);
    for (const [, name, type, value] of text.matchAll(CONSTANT))
      constants[name as string] = { type: type as Scalar | "bool", value: type === "bool" ? value === "true" : Number(value) };
    code[key] = squeeze(text.replace(CONSTANT, "").replace(/\n+/g, "\n"));
    reflected ??= await reflect(text);
  }
  if (!reflected) throw new Error(`${file}: nothing to link`);
  return { name: basename(file, ".wgsl"), ...reflected, constants, conditions: names, code };
}

/** The arguments of `declared` (src/graph/shader.ts): one text, because keys and near-copies for every shader cost kilobytes. */
function encode(shader: Shader): Parameters<typeof declared> {
  const { name, constants, conditions, code } = shader;
  const table = Object.entries(constants).map(([constant, { type, value }]) => `${type}:${constant}:${value}`);
  const encoded = [name, table.join(" "), conditions.join(" "), mergedLines(["", ...conditions].map((condition) => code[condition] ?? ""))] as const;
  // What is read off the text must be what a real parser finds there.
  deepStrictEqual(declared(...encoded), shader, `${name}.wgsl: bindings must be numbered 0, 1, 2, …, params a struct Params of scalars`);
  return [...encoded];
}

/** The texts as one: lines that some of them lack are marked with the indices of those that have them. */
function mergedLines(texts: readonly string[]): string {
  let merged: { line: string; of: string }[] = [];
  texts.forEach((text, index) => {
    const lines = text.split("\n");
    const common = commonLines(
      merged.map(({ line }) => line),
      lines,
    );
    const next: typeof merged = [];
    let [at, from] = [0, 0];
    for (const [i, j] of [...common, [merged.length, lines.length] as const]) {
      next.push(...merged.slice(at, i), ...lines.slice(from, j).map((line) => ({ line, of: `${index}` })));
      const both = merged[i];
      if (both) next.push({ line: both.line, of: both.of + index });
      [at, from] = [i + 1, j + 1];
    }
    merged = next;
  });
  const all = texts.map((_, index) => index).join("");
  return merged.map(({ line, of }) => (of === all ? line : `~${of} ${line}`)).join("\n");
}

/** Indices of the longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): [number, number][] {
  const longest = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number) => longest[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) (longest[i] as Uint32Array)[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

const SHADER_MODULE = fileURLToPath(new URL("../src/graph/shader.ts", import.meta.url));

export function wgsl(shaderRoot: string): Plugin {
  return {
    name: "wgsl",
    enforce: "pre",
    async load(id) {
      const [file = "", query = ""] = id.split("?");
      if (!file.endsWith(".wgsl") || /^(raw|url)\b/.test(query)) return null;
      for (const entry of Object.keys(readSources(shaderRoot))) this.addWatchFile(join(shaderRoot, entry));
      const declaration = encode(await loadShader(shaderRoot, file));
      return {
        code: `import { declared } from ${JSON.stringify(SHADER_MODULE)};\nexport default declared(${declaration.map((part) => JSON.stringify(part)).join(", ")});`,
        moduleType: "js",
      };
    },
  };
}
