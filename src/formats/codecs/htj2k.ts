import create from "@cornerstonejs/codec-openjph/wasmjs";
import wasm from "@cornerstonejs/codec-openjph/wasm?inline";
import { run, start } from "./emscripten.ts";

const codec = start(create, wasm);

/** High-throughput JPEG 2000 by OpenJPH; its colour transform is undone. */
export const decode = async (bytes: Uint8Array<ArrayBuffer>) => run((await codec).HTJ2KDecoder, bytes);
