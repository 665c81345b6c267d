import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { codecs } from "./build/codec_plugin.ts";
import { offline } from "./build/offline_plugin.ts";
import { wgsl } from "./build/wgsl_plugin.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const pages = Object.entries({ app: `${root}index.html`, bench: `${root}bench/index.html` }).filter(([, path]) => existsSync(path));

// The driver that set-up chose for Dawn: vitest's child processes inherit it, and it must be there before they load Dawn.
if (process.env.VITEST && existsSync(`${root}.cache/setup.json`)) {
  const { env } = JSON.parse(readFileSync(`${root}.cache/setup.json`, "utf8")) as { env: Record<string, string> };
  for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
  // lavapipe in vectors of four, as SwiftShader: it compiles them in less than half of the time. tests/support/eight_lanes.ts asks for eight.
  process.env["LP_NATIVE_VECTOR_WIDTH"] ??= "128";
}

const BROWSER_TESTS = ["tests/browser/**/*.test.ts", "tests/support/browser.test.ts"];
const QUICK = process.env.SAM_MED2D_QUICK === "1";
/** Full-size networks, whole files in memory, the command line in a shell: for CI and `npm test -- --all` (tests/support/quick.ts). */
const LARGE_TESTS = QUICK ? ["tests/**/*.large.test.ts"] : [];
/** Of those that `npm test` runs a part of, the ones whose whole takes minutes. */
const LONG_IN_WHOLE = /\/(fuzz_pth|model\/(precision|slim|stages))\.test\.ts$/;
/** What `npm test` drives in Chromium: the known mask, the page's main ways. The rest takes a quarter of an hour. */
const QUICK_IN_BROWSER = ["app_page", "app_files", "app_volumes", "known_mask"];

/** What computes without a device and replaces nothing of its process's: its files share one, and what they import is read once. */
const PLAIN_TESTS = [
  "tests/{app,bytes,checkpoint,eval,formats,fuzz,graph,image,volume,worker}/**/!(*.large).test.ts",
  "tests/{bench/peers,bench/pinned,bench/statistics,decoded,encode_many,options}.test.ts",
];

/** Kernels and models, with a device for each file: these share a process too. */
const DEVICE_TESTS = ["tests/{ops,model}/**/!(*.large).test.ts"];

const EACH_FILE = ["tests/support/each_file.ts"];

// Forks, not threads: a driver that crashes takes one file with it, and Dawn ends with its process.
const common = {
  pool: "forks",
  // They end what hangs: none is meant to come near, on a slow machine either. The longest tests bring their own.
  testTimeout: QUICK ? 300_000 : 900_000,
  hookTimeout: QUICK ? 300_000 : 900_000,
  teardownTimeout: 10_000,
  maxWorkers: 2,
} as const;

/**
 * The longest first: nothing is left for one worker alone at the end. Pages before what is short. Last those that share a process, behind each other: it
 * goes when another comes between.
 */
class LargeFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId, project }: TestSpecification) => {
      if (moduleId.includes(".large.") || (!QUICK && LONG_IN_WHOLE.test(moduleId))) return 0;
      if (project.name === "browser") return 1;
      return project.config.isolate ? 2 : 3;
    };
    return [0, 1, 2, 3].flatMap((wanted) => sorted.filter((file) => rank(file) === wanted));
  }
}

// Their WebAssembly is imported, which Node alone cannot do.
const server = { deps: { inline: [/@cornerstonejs/] } };

export default defineConfig({
  root,
  base: "./",
  plugins: [wgsl(`${root}shaders`), codecs(), offline(`${root}app/offline`)],
  // Codecs carry their WebAssembly with them: nothing has to be served beside a module.
  assetsInclude: ["**/*.wasm"],
  server: { watch: { ignored: ["**/.cache/**", "**/dist/**", "**/tests/**", "**/weights/**"] } },
  worker: { format: "es", plugins: () => [wgsl(`${root}shaders`), codecs()] },
  build: {
    target: "es2022",
    outDir: "dist/site",
    emptyOutDir: true,
    rollupOptions: { input: Object.fromEntries(pages) },
  },
  test: {
    sequence: { sequencer: LargeFirst },
    projects: [
      {
        extends: true,
        test: {
          ...common,
          server,
          name: "node",
          setupFiles: EACH_FILE,
          include: ["tests/**/*.test.ts"],
          exclude: [...BROWSER_TESTS, ...LARGE_TESTS, ...PLAIN_TESTS, ...DEVICE_TESTS],
        },
      },
      { extends: true, test: { ...common, server, name: "device", setupFiles: EACH_FILE, include: DEVICE_TESTS, isolate: false } },
      {
        extends: true,
        test: { ...common, server, name: "plain", setupFiles: EACH_FILE, include: PLAIN_TESTS, isolate: false },
      },
      {
        extends: true,
        test: {
          ...common,
          server,
          name: "browser",
          setupFiles: EACH_FILE,
          include: QUICK ? QUICK_IN_BROWSER.map((name) => `tests/browser/${name}.test.ts`) : BROWSER_TESTS,
          exclude: LARGE_TESTS,
          globalSetup: ["tests/app/fake/site.ts"],
        },
      },
    ],
  },
});
