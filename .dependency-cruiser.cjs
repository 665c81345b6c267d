// Import direction: app, bench, cli → sam_med2d → image, model, checkpoint → ops → graph ← gpu. Nothing points back.

/** Of the project's own modules, `from` may import only what `allowed` matches. */
function mayImport(name, from, allowed, comment) {
  return { name, severity: "error", comment, from: { path: from }, to: { path: "^(src|app|bench|shaders|build|scripts|tests)/", pathNot: allowed } };
}

const SHADERS = "^shaders/";
const ERRORS = "^src/(errors|known|options|options_check|option_names)[.]ts$";
/** Types alone: what can be asked for masks. */
const SEGMENTER = "^src/segmenter[.]ts$";
const below = (...folders) => `^src/(${folders.join("|")})/`;

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      comment: "Pixels flow one way; so do imports. Types may name each other.",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      comment: "An import that resolves to nothing.",
      from: {},
      to: { couldNotResolve: true, pathNot: "[?]inline$" },
    },
    mayImport("errors-stand-alone", ERRORS, ERRORS, "Every folder may throw and check options, so these import nothing else."),
    mayImport("graph-is-data", below("graph"), [below("graph"), ERRORS], "The graph is recorded and planned without a device, an op or a model."),
    mayImport("gpu-runs-graphs", below("gpu"), [below("gpu", "graph"), ERRORS, SHADERS], "The executor knows dispatches, not what they compute."),
    mayImport("ops-record", below("ops"), [below("ops", "graph"), ERRORS, SHADERS], "An op records its kernel; it touches no device and no model."),
    mayImport(
      "bytes-stand-low",
      below("bytes"),
      [below("bytes"), ERRORS],
      "Bytes of whatever: files, addresses, caches and archives know no format of content.",
    ),
    mayImport(
      "checkpoint-is-tensors",
      below("checkpoint"),
      [below("checkpoint", "bytes", "graph", "ops"), ERRORS, SHADERS],
      "A checkpoint gives named tensors; it knows no model and no device.",
    ),
    mayImport(
      "formats-are-files",
      below("formats"),
      [below("formats", "bytes", "volume", "image"), ERRORS],
      "A reader or writer of files; it never imports the engine.",
    ),
    mayImport(
      "volume-is-voxels",
      below("volume"),
      [below("volume", "image"), SEGMENTER, ERRORS],
      "Geometry, voxels and labels; never the engine, never a file format.",
    ),
    mayImport(
      "everything-asks-any-segmenter",
      below("everything"),
      [below("everything", "volume", "image"), SEGMENTER, ERRORS],
      "Points, masks and thresholds; the model is whatever answers.",
    ),
    mayImport("image-is-pixels", below("image"), [below("image", "ops", "graph"), ERRORS, SHADERS], "Pixels in, pixels out: no model, no device."),
    mayImport(
      "model-records",
      below("model"),
      [below("model", "checkpoint", "bytes", "image", "ops", "graph"), ERRORS],
      "The model records graphs; sam_med2d runs them.",
    ),
    mayImport("eval-uses-the-api", below("eval"), [below("eval", "image"), "^src/(sam_med2d|index|errors)[.]ts$"], "Metrics see masks, not kernels."),
    {
      name: "library-stands-alone",
      severity: "error",
      comment: "What the package exports needs no package, no Node module, no command line and no page.",
      from: { path: "^src/", pathNot: ["^src/cli/", "^src/formats/codecs/", "^src/bytes/node_source[.]ts$"] },
      to: { dependencyTypesNot: ["local", "type-only", "undetermined", "unknown"], pathNot: ["^(src|shaders)/"] },
    },
    {
      name: "codecs-are-injected",
      severity: "error",
      comment: "Codecs are bundled libraries of hundreds of kilobytes: readers get them handed in.",
      from: { path: "^src/", pathNot: ["^src/cli/", "^src/formats/codecs/"] },
      to: { path: "^src/formats/codecs/" },
    },
    {
      name: "nothing-imports-the-cli",
      severity: "error",
      comment: "The command line is thin and on top.",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: { path: ["^src/cli/", "^src/bytes/node_source[.]ts$", "^app/", "^bench/"] },
    },
    {
      name: "app-uses-the-package",
      severity: "error",
      comment: "The page is a user of the package: its entries only.",
      from: { path: "^app/" },
      to: {
        path: "^(src|bench|shaders|tests|build)/",
        pathNot: "^src/(index[.]ts|worker/|formats/index[.]ts|formats/codecs/index[.]ts|volume/index[.]ts|everything/index[.]ts)",
      },
    },
    {
      name: "sources-import-no-tests",
      severity: "error",
      comment: "Tests look at sources, never the other way.",
      from: { path: "^(src|app|bench|shaders)/" },
      to: { path: "^(tests|build|scripts)/" },
    },
  ],
  options: {
    // A shader's imports are the linker's: they are no JavaScript.
    doNotFollow: { path: ["node_modules", "[.]wgsl$"] },
    exclude: { path: "^(dist|node_modules/.vite)/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".js", ".mjs", ".wgsl", ".json"], exportsFields: ["exports"], conditionNames: ["import", "types"] },
  },
};
