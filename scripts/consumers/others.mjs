// Consumers without a page: runtimes, types, and what judges a package. Each gives words on what it saw, or throws.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { CACHE, Problem, ROOT, readJson } from "../tools.mjs";
import { CONSUMERS } from "./workshop.mjs";

/** The sample of docs/api.md as it is written there. */
function nodeSample() {
  const text = readFileSync(join(ROOT, "docs", "api.md"), "utf8");
  const [, code] = /^## Node\n[\s\S]*?```ts\n([\s\S]*?)```/m.exec(text) ?? [];
  if (!code) throw new Problem("docs/api.md has no sample under ## Node");
  return code;
}

const environment = () => ({ ...process.env, ...readJson(join(CACHE, "setup.json"))?.env });

/** Once with the arguments of each of `runs`; all say the same. */
async function runSample(shop, name, program, ...runs) {
  const project = shop.project(name, {});
  writeFileSync(join(project, "sample.mjs"), nodeSample());
  const said = new Set();
  // Dawn warns on the error stream; the sample's own line is among it.
  for (const args of runs) {
    const output = await shop.command(program, [...args, "sample.mjs"], { cwd: project, env: environment() });
    said.add(/^.*predicted IoU.*$/m.exec(output)?.[0] ?? output);
  }
  const [line] = said;
  if (said.size !== 1 || !/^\d{4} pixels, predicted IoU 0\.\d\d$/.test(line)) throw new Problem(`the sample said: ${[...said].join(" | ")}`);
  return line;
}

/** What is compiled is in the driver's cache after the first run; while Dawn asks for it without end, that takes twice the time. */
function nodeRuns(shop) {
  const unhurried = ["--import", pathToFileURL(join(ROOT, "scripts", "consumers", "unhurried.mjs")).href];
  // Several times over what dies at random shows.
  return runSample(shop, "node", process.execPath, unhurried, ...(shop.fast ? [] : [[], []]));
}

function runtime(shop, scope, path) {
  const folder = join(shop.root, "node_modules", scope);
  const found =
    existsSync(folder) &&
    readdirSync(folder)
      .map((name) => join(folder, name, path))
      .find((file) => existsSync(file));
  if (!found) throw new Problem(`no ${path} in ${scope}: this system's was not installed`);
  return found;
}

/** `require` gives the module where Node can (20.19 and newer). */
async function required(shop) {
  const project = shop.project("require", {});
  writeFileSync(
    join(project, "use.cjs"),
    'const { SamMed2D, SamError } = require("sam-med2d-webgpu"); console.log(SamMed2D.name !== "", new SamError({ op: "a" }).name);',
  );
  const said = await shop.node(join(project, "use.cjs"), [], { cwd: project, env: { ...process.env, NODE_NO_WARNINGS: "1" } });
  if (said.trim() !== "true SamError") throw new Problem(`require gave: ${said}`);
}

const OPTIONS = { target: "ES2022", module: "ESNext", strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };

/** No error in a program of Node or of a worker, whose types lack those of a page. */
async function typesWithoutPage(shop, compiler) {
  const project = shop.project(`types_${compiler}_no_page`, { "use.ts": join(CONSUMERS, "types", "no_page.ts") });
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  for (const kind of [
    { lib: ["ES2023"], types: [shop.tool("@types/node", "")] },
    { lib: ["ES2022", "WebWorker"], types: [] },
  ]) {
    const compilerOptions = { ...OPTIONS, module: "nodenext", ...kind };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    await shop.node(shop.tool(compiler, "bin/tsc"), ["-p", "."], { cwd: project });
  }
}

/** No error with a compiler, everything of lib checked: alone, and with the types of `extra`. */
async function types(shop, compiler, { extra = [], moduleResolution = "bundler" } = {}) {
  const name = `types_${compiler}_${moduleResolution}_${extra.join("_").replace(/\W/g, "")}`;
  const project = shop.project(name, {
    "use.ts": join(CONSUMERS, "types", "use.ts"),
    ...(extra.length > 0 ? { "device.ts": join(CONSUMERS, "types", "device.ts") } : {}),
  });
  const own = compiler >= "typescript-6" ? ["device.ts"] : [];
  for (const file of own) writeFileSync(join(project, file), readFileSync(join(CONSUMERS, "types", file), "utf8"));
  const module = moduleResolution === "nodenext" ? "nodenext" : OPTIONS.module;
  const compilerOptions = { ...OPTIONS, module, moduleResolution, lib: ["ES2022", "DOM"], types: extra };
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  await shop.node(shop.tool(compiler, "bin/tsc"), ["-p", "."], { cwd: project });
}

/** What samples of the documentation take for granted, declared where they use it and do not make it. */
const GIVEN = {
  canvas: "HTMLCanvasElement",
  image: "ImageData",
  input: "HTMLInputElement",
  fit: '"resize" | undefined',
  channelOrder: '"rgb" | undefined',
  signal: "AbortSignal",
  onProgress: "() => void",
  probabilities: "Float32Array",
  logits: "Float32Array",
  masks: 'readonly import("sam-med2d-webgpu").Mask[]',
  best: "number",
  model: 'import("sam-med2d-webgpu").SamMed2D',
  embedding: 'import("sam-med2d-webgpu").Embedding',
  decoded: 'import("sam-med2d-webgpu").Decoded',
  context: "CanvasRenderingContext2D",
  volume: 'import("sam-med2d-webgpu/volume").Volume',
  volumes: 'readonly import("sam-med2d-webgpu/volume").Volume[]',
  segmentations: 'Awaited<ReturnType<typeof import("sam-med2d-webgpu/formats").openFiles>>["segmentations"]',
  mask: "Uint8Array",
  sliceNumbers: "readonly number[]",
  pictureOf: "(slice: number) => Promise<ImageData>",
  shown: "number",
  token: "string",
  onError: "(error: unknown, index: number) => void",
  embeddings: 'Map<number, import("sam-med2d-webgpu").Embedding>',
  propose: "(...proposal: unknown[]) => void",
};

/** The code of a page's samples: TypeScript, JavaScript, and modules in HTML where they are not run as they are (documentation.mjs). */
function samplesOf(path) {
  const fenced = [...readFileSync(join(ROOT, path), "utf8").matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)];
  return fenced.flatMap(([, language, code]) => {
    if (language === "ts" || language === "js") return [code];
    if (language !== "html" || path === "docs/index.md") return [];
    return [...code.matchAll(/<script type="module">\n([\s\S]*?)<\/script>/g)].map(([, script]) => script);
  });
}

/** Every sample of README.md and docs/, as it is written, as a module of its own. */
async function samples(shop) {
  const project = shop.project("samples", {});
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  let count = 0;
  for (const path of ["README.md", ...docs.map((name) => `docs/${name}`)]) {
    for (const code of samplesOf(path)) {
      const made = [...code.matchAll(/\b(?:const|let)\s+(?:\{([^}]*)\}|\[([^\]]*)\]|(\w+))|import \{([^}]*)\}/g)].flatMap(
        (match) => match.slice(1).join(",").match(/\w+/g) ?? [],
      );
      const needed = Object.keys(GIVEN).filter((name) => !made.includes(name) && new RegExp(`(?<![.\\w"/-])${name}\\b(?!:)`).test(code));
      const declared = needed.map((name) => `declare const ${name}: ${GIVEN[name]};`).join("\n");
      writeFileSync(join(project, `${path.replace(/\W/g, "_")}_${++count}.ts`), `${declared}\n${code}\nexport {};\n`);
    }
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const compilerOptions = {
    ...OPTIONS,
    moduleResolution: "bundler",
    skipLibCheck: true,
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    types: ["@webgpu/types", join(ROOT, "node_modules/@types/node")],
  };
  // The samples are for readers: what an index may lack is theirs to know.
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...compilerOptions, strictNullChecks: false, exactOptionalPropertyTypes: false }, include: ["*.ts"] }),
  );
  await shop.node(join(ROOT, "node_modules/typescript/bin/tsc"), ["-p", ".", "--pretty", "false"], { cwd: project });
  return `${count} samples`;
}

/** What an entry exports has a name that the documentation says; what the packed Markdown links is packed. */
async function documented(shop) {
  const names = readdirSync(shop.library, { recursive: true }).filter((name) => name.endsWith(".md"));
  const texts = new Map(names.map((name) => [name, readFileSync(join(shop.library, name), "utf8")]));
  const all = [...texts.values()].join("\n");
  const wrong = [];
  const { exports } = readJson(join(shop.library, "package.json"));
  for (const [entry, { default: file }] of Object.entries(exports)) {
    // The worker's has none, and runs in a worker alone.
    if (!file || entry === "./worker") continue;
    for (const name of Object.keys(await import(pathToFileURL(join(shop.library, file)).href)))
      if (!new RegExp(`\\b${name}\\b`).test(all)) wrong.push(`${entry} exports ${name}, which no page names`);
  }
  for (const [name, text] of texts)
    for (const [, path] of text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g))
      if (!existsSync(join(shop.library, dirname(name), path))) wrong.push(`${name}: ${path} is not packed`);
  if (wrong.length > 0) throw new Problem(wrong.join("\n"));
}

async function publint(shop) {
  const said = await shop.node(join(ROOT, "node_modules/publint/src/cli.js"), ["run", shop.library, "--strict"]);
  if (!/All good/.test(said)) throw new Problem(said);
}

async function areTheTypesWrong(shop) {
  const cli = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const files = ["./weights/*"];
  await shop.node(cli, [shop.tarball, "--profile", "esm-only", "--exclude-entrypoints", ...files, "--format", "ascii"]);
}

/** `fast` ones need no package beyond the repository's own, and no page. */
export const OTHERS = [
  { name: "publint", fast: true, run: publint },
  { name: "documented", fast: true, run: documented },
  { name: "are the types wrong", fast: true, run: areTheTypesWrong },
  { name: "samples of the documentation, types", fast: true, run: samples },
  { name: "require in Node", fast: true, run: required },
  { name: "TypeScript without a page's types", fast: true, run: (shop) => typesWithoutPage(shop, "typescript-7") },
  { name: "Node, the sample of the documentation", fast: true, run: nodeRuns },
  { name: "Deno, the same sample", run: (shop) => runSample(shop, "deno", runtime(shop, "@deno", "deno"), ["run", "--allow-all", "--no-prompt"]) },
  { name: "Bun, the same sample", run: (shop) => runSample(shop, "bun", runtime(shop, "@oven", "bin/bun"), ["run"]) },
  { name: "TypeScript 5.7", run: (shop) => types(shop, "typescript-5.7") },
  { name: "TypeScript 5.9", run: (shop) => types(shop, "typescript-5.9") },
  { name: "TypeScript 5.9 with @webgpu/types", run: (shop) => types(shop, "typescript-5.9", { extra: ["@webgpu/types"] }) },
  { name: "TypeScript 5.9, nodenext", run: (shop) => types(shop, "typescript-5.9", { moduleResolution: "nodenext" }) },
  { name: "TypeScript 6", run: (shop) => types(shop, "typescript-6") },
  { name: "TypeScript 7", run: (shop) => types(shop, "typescript-7") },
];
