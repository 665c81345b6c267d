import create from "@cornerstonejs/codec-charls/decodewasmjs";
import wasm from "@cornerstonejs/codec-charls/decodewasm?inline";
import { run, start } from "./emscripten.ts";

const codec = start(create, wasm);

/** CharLS looks for the end through all of its memory, for half a minute, where there is none. */
const END = [0xff, 0xd9];

/** JPEG-LS, lossless and near-lossless, by CharLS. */
export async function decode(bytes: Uint8Array<ArrayBuffer>) {
  const ended = new Uint8Array(bytes.length + END.length);
  ended.set(bytes);
  ended.set(END, bytes.length);
  return run((await codec).JpegLSDecoder, ended);
}
