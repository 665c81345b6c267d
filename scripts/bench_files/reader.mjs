// One reader on one kind of files: `node reader.mjs series|volume READER FOLDER PEERS`. Prints what it took as JSON.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , what, name, folder, peers] = process.argv;
const peer = createRequire(join(peers, "package.json"));
const files = what === "series" ? readdirSync(join(folder, "series")).map((file) => join(folder, "series", file)) : [join(folder, "volume.nii.gz")];
let bytes = 0;

function whole(path) {
  const data = readFileSync(path);
  bytes += data.length;
  return data;
}

/** A file that is read where it is asked for, as a File of a page is. */
function lazy(path) {
  return {
    label: path,
    size: statSync(path).size,
    async read(offset, length) {
      bytes += length;
      const handle = await open(path);
      try {
        const out = new Uint8Array(length);
        await handle.read(out, 0, length, offset);
        return out;
      } finally {
        await handle.close();
      }
    },
    async close() {},
  };
}

/** Gives the number of slices and how to read one, in order. */
const READERS = {
  async ours() {
    const { openFiles } = await import(pathToFileURL(join(import.meta.dirname, "../../dist/formats.js")).href);
    return async () => {
      const { volumes, refused } = await openFiles(files.map((path) => ({ path, source: lazy(path) })));
      if (refused.length > 0) throw new Error(refused[0].reason);
      return { slices: volumes[0].slices, slice: async (index) => (await volumes[0].slice(index)).data };
    };
  },
  async "dicom-parser"() {
    const parser = peer("dicom-parser");
    return async () => {
      const sets = files.map((path) => parser.parseDicom(new Uint8Array(whole(path))));
      sets.sort((a, b) => a.floatString("x00200032", 2) - b.floatString("x00200032", 2));
      const slice = async (index) => {
        const { byteArray, elements } = sets[index];
        const { dataOffset, length } = elements.x7fe00010;
        return new Int16Array(byteArray.buffer.slice(byteArray.byteOffset + dataOffset, byteArray.byteOffset + dataOffset + length));
      };
      return { slices: sets.length, slice };
    };
  },
  async dcmjs() {
    const dcmjs = peer("dcmjs");
    dcmjs.log.disableAll?.();
    return async () => {
      const sets = files.map((path) => {
        const data = whole(path);
        const { dict } = dcmjs.data.DicomMessage.readFile(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
        return dcmjs.data.DicomMetaDictionary.naturalizeDataset(dict);
      });
      sets.sort((a, b) => a.ImagePositionPatient[2] - b.ImagePositionPatient[2]);
      return { slices: sets.length, slice: async (index) => new Int16Array([].concat(sets[index].PixelData)[0]) };
    };
  },
  async "nifti-reader-js"() {
    const root = join(peers, "node_modules", "nifti-reader-js");
    const { exports, main } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const entry = exports?.["."]?.import?.default ?? exports?.["."]?.import ?? exports?.["."]?.default ?? main;
    const nifti = await import(pathToFileURL(join(root, entry)).href);
    return async () => {
      const data = whole(files[0]);
      const packed = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
      const volume = nifti.isCompressed(packed) ? nifti.decompress(packed) : packed;
      const header = nifti.readHeader(volume);
      const image = nifti.readImage(header, volume);
      const size = header.dims[1] * header.dims[2];
      return { slices: header.dims[3], slice: async (index) => new Int16Array(image, 2 * size * index, size) };
    };
  },
};

const read = await READERS[name]();
const start = performance.now();
const { slices, slice } = await read();
const listed = performance.now() - start;
await slice(slices >> 1);
const first = performance.now() - start;
const until = bytes;
const early = process.memoryUsage().rss;
let sum = 0;
const scroll = performance.now();
for (let i = 0; i < slices; i++) for (const value of await slice(i)) sum += value;
const all = performance.now() - scroll;
process.stdout.write(`${JSON.stringify({ listed, first, bytes: until, early, all, memory: process.resourceUsage().maxRSS * 1024, sum })}\n`);
