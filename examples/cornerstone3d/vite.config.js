// The loader decodes in workers of its own, with WebAssembly beside them: it is left as it is, and the CommonJS that it imports made ES modules.
const codecs = ["charls/decodewasmjs", "libjpeg-turbo-8bit/decodewasmjs", "openjpeg/decodewasmjs", "openjph/wasmjs"];
export default {
  worker: { format: "es" },
  optimizeDeps: { exclude: ["@cornerstonejs/dicom-image-loader"], include: ["dicom-parser", ...codecs.map((codec) => `@cornerstonejs/codec-${codec}`)] },
};
