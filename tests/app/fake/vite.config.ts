// The page on a fake model, to look at it and to test it without a GPU: `npx vite --config tests/app/fake/vite.config.ts`.
// An address with `slow` in it loads slowly, one with `broken` not at all.
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { codecs } from "../../../build/codec_plugin.ts";
import { wgsl } from "../../../build/wgsl_plugin.ts";
import { drawn } from "./drawn.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

const fake = (): Plugin => ({
  name: "fake-model",
  enforce: "pre",
  resolveId: (source, importer) => (source === "../sam_med2d.ts" && importer?.endsWith("src/worker/worker.ts") ? `${root}tests/app/fake/sam_med2d.ts` : null),
});

/** As if the build had no default weights. */
const bare: Plugin = {
  name: "no-default-weights",
  enforce: "pre",
  transform: (_code, id) => (id.endsWith("app/model/default_weights.ts") ? "export const defaultWeights = () => null;" : null),
};

export default defineConfig({
  root,
  base: "./",
  plugins: [fake(), bare, wgsl(`${root}shaders`), codecs()],
  assetsInclude: ["**/*.wasm"],
  worker: { format: "es", plugins: () => [fake(), drawn, wgsl(`${root}shaders`), codecs()] },
  build: { target: "es2022", outDir: ".cache/fake_site", emptyOutDir: true, rollupOptions: { input: `${root}index.html` } },
});
