// The loader decodes in workers of its own, with WebAssembly beside them.
export default {
  worker: { format: "es" },
  optimizeDeps: { exclude: ["@cornerstonejs/dicom-image-loader"], include: ["dicom-parser"] },
};
