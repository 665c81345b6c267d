declare module "@cornerstonejs/codec-charls/decodewasmjs" {
  const create: import("./emscripten.ts").Create<"JpegLSDecoder">;
  export default create;
}
declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  const create: import("./emscripten.ts").Create<"J2KDecoder">;
  export default create;
}
declare module "@cornerstonejs/codec-openjph/wasmjs" {
  const create: import("./emscripten.ts").Create<"HTJ2KDecoder">;
  export default create;
}
declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs" {
  const create: import("./emscripten.ts").Create<"JPEGDecoder">;
  export default create;
}
