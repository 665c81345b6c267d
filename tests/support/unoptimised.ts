// Imported before dawn.ts, where kernels are many and what they compute is little: lavapipe compiles them without optimising, in two thirds of the time.
process.env["GALLIVM_PERF"] = "nopt";
