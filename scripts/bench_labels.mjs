// Memory of a labelmap of 400 slices with five organs, and the time and size of writing it in each format.
// By hand, after npm run build: node --expose-gc scripts/bench_labels.mjs
import { join } from "node:path";
import { isMain, ROOT, runMain, say } from "./tools.mjs";

const [SIDE, SLICES] = [512, 400];

async function main() {
  const entry = (name) => import(join(ROOT, "dist", `${name}.js`));
  const [{ writeLabelFiles }, { Labelmap, editLabel, measure }] = await Promise.all(["formats", "volume"].map(entry));
  const before = heap();
  const labelmap = organs(Labelmap);
  say(`${SLICES} slices of ${SIDE} × ${SIDE}, 5 labels: ${(labelmap.bytes / 1e6).toFixed(1)} MB of runs, ${((heap() - before) / 1e6).toFixed(1)} MB of memory`);
  const volume = volumeOf();
  for (const format of ["nifti", "seg-nrrd", "dicom-seg", "coco", "png"]) {
    const start = performance.now();
    let [files, bytes] = [0, 0];
    for await (const { data } of writeLabelFiles(labelmap, volume, format, "labels", format === "coco" ? { shapes: "run-lengths" } : {})) {
      files++;
      bytes += data.length;
    }
    say(
      `  ${format.padEnd(10)} ${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s  ${(bytes / 1e6).toFixed(2).padStart(7)} MB  ${files} file${files > 1 ? "s" : ""}`,
    );
  }
  for (const edit of [{ kind: "grow", mm: 3 }, { kind: "smooth", mm: 3 }, { kind: "keep-largest" }]) {
    const start = performance.now();
    const changes = editLabel(labelmap, 1, edit, { geometry: volume.geometry, through: true });
    say(`  ${edit.kind.padEnd(12)} ${((performance.now() - start) / 1000).toFixed(2)} s, ${changes.length} slices changed`);
    labelmap.revert(changes);
  }
  const start = performance.now();
  await measure(labelmap, volume);
  say(`  measure      ${((performance.now() - start) / 1000).toFixed(2)} s`);
}

function heap() {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Five discs on each slice, their edges frayed: two runs a row. */
function organs(Labelmap) {
  const labels = [1, 2, 3, 4, 5].map((id) => ({ id, name: `organ ${id}`, color: [50 * id, 255 - 40 * id, 90] }));
  const labelmap = new Labelmap(SIDE, SIDE, SLICES, labels);
  const centers = [
    [120, 120],
    [390, 120],
    [255, 255],
    [120, 390],
    [390, 390],
  ];
  for (let k = 0; k < SLICES; k++) {
    for (const [i, [x, y]] of centers.entries()) {
      const runs = [];
      for (let dy = -90; dy <= 90; dy++) {
        const half = Math.round(Math.sqrt(8100 - dy * dy)) - ((dy + k + 200) % 3);
        if (half >= 2) runs.push((y + dy) * SIDE + x - half, (y + dy) * SIDE + x - 1, (y + dy) * SIDE + x, (y + dy) * SIDE + x + half);
      }
      labelmap.draw(i + 1, k, Uint32Array.from(runs), "allow");
    }
  }
  return labelmap;
}

function volumeOf() {
  const instances = Array.from({ length: SLICES }, (_, k) => ({ sopClass: "1.2.840.10008.5.1.4.1.1.2", sopInstance: `1.2.3.${k + 1}` }));
  const data = Int16Array.from({ length: SIDE * SIDE }, (_, i) => (i * 7919) % 2000);
  return {
    name: "made",
    format: "DICOM",
    columns: SIDE,
    rows: SIDE,
    slices: SLICES,
    samples: 1,
    geometry: {
      spacing: { betweenColumns: 0.8, betweenRows: 0.8, betweenSlices: 1.5 },
      origin: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    },
    windows: [],
    inverted: false,
    files: [],
    notes: [],
    dicom: { elements: new Map([["0020000d", { vr: "UI", value: "1.2" }]]), instances },
    slice: async () => ({ data, rows: SIDE, columns: SIDE, samples: 1 }),
  };
}

if (isMain(import.meta)) await runMain(main);
