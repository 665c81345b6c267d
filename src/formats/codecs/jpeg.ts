import create from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs";
import wasm from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?inline";
import { run, start } from "./emscripten.ts";

const codec = start(create, wasm);

/** JPEG of 8 bits, sequential and progressive, by libjpeg-turbo; colours as RGB. */
export const decode = async (bytes: Uint8Array<ArrayBuffer>) => run((await codec).JPEGDecoder, bytes);
