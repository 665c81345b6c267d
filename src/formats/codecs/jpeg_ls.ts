import create from "@cornerstonejs/codec-charls/decodewasmjs";
import wasm from "@cornerstonejs/codec-charls/decodewasm?inline";
import { run, start } from "./emscripten.ts";

const codec = start(create, wasm);

/** JPEG-LS, lossless and near-lossless, by CharLS. */
export const decode = async (bytes: Uint8Array<ArrayBuffer>) => run((await codec).JpegLSDecoder, bytes);
