// Codecs compiled by Emscripten get their WebAssembly handed in: the code that looks for files in Node would only bring Node's modules along.
import type { Plugin } from "vite";

export function codecs(): Plugin {
  return {
    name: "codecs",
    enforce: "pre",
    transform(code, id) {
      if (!/@cornerstonejs[/\\]codec-[^?]*\.js$/.test(id)) return null;
      return { code: code.replace(/ENVIRONMENT_IS_NODE=typeof process[^;]*;/, "ENVIRONMENT_IS_NODE=false;"), map: null };
    },
  };
}
