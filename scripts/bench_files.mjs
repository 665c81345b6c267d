// Opening files beside other readers: a made series of 400 slices of 512 × 512 values of 16 bits (210 MB), and the same as a packed NIfTI volume.
// Then on the built page, beside a viewer's, the same series plain and in JPEG 2000.
//   npm run build && node scripts/bench_files.mjs [SLICES]
// Each reader runs in a process of its own, so that its peak of memory is its own. Peers are fetched into .cache, and are no part of the package.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { CACHE, npm, ROOT, say } from "./tools.mjs";
import { buildDwv, measurePage } from "./bench_files/in_page.mjs";
import { jpeg2000Encoder, niftiFile, phantomSlice, sliceFile } from "./bench_files/phantom.mjs";

const PEERS = { "dicom-parser": "1.8.21", dcmjs: "0.52.0", "nifti-reader-js": "0.8.0", dwv: "0.36.4" };
const SERIES = ["ours", "dicom-parser", "dcmjs"];
const VOLUME = ["ours", "nifti-reader-js"];
const IN_PAGE = ["ours", "dwv"];
/** Of the series in JPEG 2000: enough to scroll through, soon enough packed. */
const PACKED = 160;

const slices = Number(process.argv[2] ?? 400);
const reader = fileURLToPath(new URL("bench_files/reader.mjs", import.meta.url));

function installPeers() {
  const folder = join(CACHE, "bench_files");
  const missing = Object.entries(PEERS).filter(([name]) => !existsSync(join(folder, "node_modules", name)));
  if (missing.length === 0) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const [command, before] = npm();
  const names = missing.map(([name, version]) => `${name}@${version}`);
  execFileSync(command, [...before, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, ...names], { stdio: "inherit" });
  return folder;
}

async function makeFiles(folder) {
  const all = Array.from({ length: slices }, (_, i) => phantomSlice(i));
  const encode = await jpeg2000Encoder();
  for (const [name, of, stream] of [
    ["series", all, () => undefined],
    ["packed", all.slice(0, PACKED), encode],
  ]) {
    mkdirSync(join(folder, name));
    // Names in another order than the slices lie.
    for (const [i, values] of of.entries())
      writeFileSync(join(folder, name, `${String((i * 7919) % of.length).padStart(4, "0")}.dcm`), sliceFile(values, i, stream(values)));
  }
  writeFileSync(join(folder, "volume.nii.gz"), gzipSync(niftiFile(all), { level: 6 }));
}

function measure(what, name, folder, peers) {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--max-old-space-size=8192", reader, what, name, folder, peers], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${name} ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Two frames of a screen of 60 Hz: a step between two frames is drawn by the second. */
const FRAME = 2000 / 60;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const mb = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
const ms = (time) => (time === null ? "–" : `${time.toFixed(0)} ms`);

function table(title, rows) {
  say(`\n### ${title}\n`);
  say("| reader | listed and sorted | first slice after | bytes read until then | memory then | all slices | most memory |");
  say("| --- | --- | --- | --- | --- | --- | --- |");
  const sums = new Set(rows.map(([, { sum }]) => sum));
  if (sums.size !== 1) throw new Error(`the readers differ in what they read: ${[...sums].join(", ")}`);
  for (const [name, { listed, first, bytes, early, all, memory }] of rows) {
    say(`| ${name} | ${ms(listed)} | ${ms(first)} | ${mb(bytes)} | ${mb(early)} | ${ms(all)} | ${mb(memory)} |`);
  }
}

const peers = installPeers();
const folder = mkdtempSync(join(tmpdir(), "sam_med2d_bench_files_"));
try {
  await makeFiles(folder);
  say(`${slices} slices of 512 × 512, Node ${process.versions.node}, package ${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}`);
  const named = (name) => (name === "ours" ? "sam-med2d-webgpu/formats" : `${name} ${PEERS[name]}`);
  table(
    "A series of DICOM files",
    SERIES.map((name) => [named(name), measure("series", name, folder, peers)]),
  );
  table(
    "The same as .nii.gz",
    VOLUME.map((name) => [named(name), measure("volume", name, folder, peers)]),
  );
  const dwv = await buildDwv(peers);
  for (const [title, name] of [
    ["The series on a page", "series"],
    [`${PACKED} slices of it in JPEG 2000 on a page`, "packed"],
  ]) {
    const files = readdirSync(join(folder, name)).map((file) => join(folder, name, file));
    say(`\n### ${title}\n`);
    say("| page | first slice after | a step at 10 a second, median / longest | later than a frame | a step as fast as it goes | most memory |");
    say("| --- | --- | --- | --- | --- | --- |");
    for (const page of IN_PAGE) {
      const measured = await measurePage(page, { dwv, files }).catch((error) => error.message);
      if (typeof measured === "string") {
        say(`| ${named(page)} | ${measured} | | | | |`);
        continue;
      }
      const { first, steps, fast, memory } = measured;
      const late = steps.filter((time) => time > FRAME).length;
      const step = `${ms(median(steps))} / ${ms(Math.max(...steps))}`;
      say(`| ${named(page)} | ${ms(first)} | ${step} | ${late} of ${steps.length} | ${fast.length > 0 ? ms(median(fast)) : "–"} | ${mb(memory)} |`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
