import create from "@cornerstonejs/codec-openjpeg/decodewasmjs";
import wasm from "@cornerstonejs/codec-openjpeg/decodewasm?inline";
import { run, start } from "./emscripten.ts";

const codec = start(create, wasm);

/** JPEG 2000 by OpenJPEG; its colour transform is undone. */
export const decode = async (bytes: Uint8Array<ArrayBuffer>) => run((await codec).J2KDecoder, bytes);
