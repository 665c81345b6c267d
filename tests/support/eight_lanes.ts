// Imported before dawn.ts: lavapipe in vectors of eight, for which software kernels have another form than for those of four (vite.config.ts).
process.env["LP_NATIVE_VECTOR_WIDTH"] = "256";
