// For bundlers that are given the worker as a second entry, which they write beside this one: esbuild, Rollup.
import { segmentTwice } from "./segment.js";

segmentTwice(() => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
