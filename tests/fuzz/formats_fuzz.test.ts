// Volumes and archives of every format that is read, broken: opened, opened in part, or refused in words.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { SamError } from "../../src/errors.ts";
import { EDGES, mutateBytes, type Random } from "../checkpoint/fuzz.ts";
import type { Bytes } from "../checkpoint/support.ts";
import { open } from "../formats/support.ts";
import { TIMES, tryAll } from "./mutations.ts";

const FIXTURES = join(import.meta.dirname, "../formats/fixtures");

interface Sample {
  readonly name: string;
  readonly bytes: Bytes;
}

/** Small files of these endings: a mutation hits what matters. */
function samples(endings: RegExp): Sample[] {
  const paths = ["volumes", "odd", "dicom"].flatMap((folder) => readdirSync(join(FIXTURES, folder)).map((name) => join(FIXTURES, folder, name)));
  const files = paths.filter((path) => statSync(path).isFile() && endings.test(path) && statSync(path).size < 20_000);
  return files.map((path) => ({ name: `fuzz${/(\.\w+){1,2}$/.exec(path)?.[0] ?? ""}`, bytes: Uint8Array.from(readFileSync(path)) }));
}

/** ustar, as far as it is read: a name, a size, the bytes. */
function tarOf(files: readonly Sample[]): Buffer {
  const blocks = files.flatMap(({ bytes }, i) => {
    const header = Buffer.alloc(512);
    header.write(`${i}.nii`, 0);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("0", 156);
    header.write("ustar\0", 257);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const NIFTI = samples(/\.nii$/);
const SAMPLES = {
  DICOM: samples(/\.dcm$/),
  NIfTI: [...NIFTI, ...samples(/\.nii\.gz$/)],
  NRRD: samples(/\.nrrd$/),
  MetaImage: samples(/\.mha$/),
  TIFF: samples(/\.tiff?$/),
  zip: samples(/\.zip$/),
  "tar.gz": [{ name: "fuzz.tar.gz", bytes: Uint8Array.from(gzipSync(tarOf(NIFTI.slice(0, 2)))) }],
};

/** A run of digits in a header's text replaced by another number. */
function inText(random: Random, bytes: Bytes): Bytes {
  const text = Buffer.from(bytes).toString("latin1");
  const end = Math.min(text.length, 1200);
  const numbers = [...text.slice(0, end).matchAll(/\d+/g)];
  if (numbers.length === 0) return mutateBytes(random, bytes);
  const { index, 0: digits } = random.pick(numbers);
  return Uint8Array.from(Buffer.from(text.slice(0, index) + random.pick(EDGES) + text.slice(index + digits.length), "latin1"));
}

/** A number of the header, two or four bytes wide. */
function inHeader(random: Random, bytes: Bytes): Bytes {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const at = random.below(Math.max(1, Math.min(out.length, 600) - 4));
  if (out.length < at + 4) return mutateBytes(random, bytes);
  if (random.chance(2)) view.setUint16(at, random.pick(EDGES) & 0xffff, random.chance(2));
  else view.setUint32(at, random.pick(EDGES) >>> 0, random.chance(2));
  return out;
}

function mutated(random: Random, bytes: Bytes): Bytes {
  if (random.chance(3)) return inText(random, bytes);
  return random.chance(2) ? inHeader(random, bytes) : mutateBytes(random, bytes);
}

const typed = (error: unknown) => error instanceof SamError;
const WRONG_WORDS = /undefined|NaN|TypeError|RangeError|Cannot read|is not a function|\[object/;
/** What a terminal would obey. */
const CONTROL = /[^\P{Cc}\n\t]/u;

/** Opens the file and reads the first slice of all there is. Nothing is refused in a program's words, nothing takes more than its bytes may hold. */
async function exercise(name: string, bytes: Bytes): Promise<void> {
  const source = bufferSource(bytes, name);
  const { volumes, segmentations, refused } = await open([{ path: name, source }]);
  for (const { reason } of refused) {
    // What a file says is quoted.
    expect(reason.replace(/"(?:[^"\\]|\\.)*"/g, "")).not.toMatch(WRONG_WORDS);
    expect(reason).not.toMatch(CONTROL);
  }
  expect(volumes.length + segmentations.length + refused.length).toBeGreaterThan(0);
  // Deflate packs a thousand to one.
  const most = 64 * 2 ** 20 + 8300 * bytes.length;
  for (const volume of volumes) {
    expect(volume.rows * volume.columns).toBeLessThan(most);
    await volume.slice(0);
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(most + 512 * 2 ** 20);
  if (volumes.length + segmentations.length === 0) throw new SamError({ code: "file", op: "open", expected: "a volume", got: "none", remedy: "None." });
}

describe("fuzzed volumes", () => {
  it.each([
    ["DICOM", 11, 1700],
    ["NIfTI", 12, 1200],
    ["NRRD", 13, 1000],
    ["MetaImage", 14, 800],
    ["TIFF", 15, 1000],
    ["zip", 16, 700],
    ["tar.gz", 17, 400],
  ] as const)(
    "%s, seed %d: %d files and their multiple",
    async (kind, seed, cases) => {
      const all = SAMPLES[kind];
      expect(all.length).toBeGreaterThan(0);
      let name = "";
      const make = (random: Random): Bytes => {
        const sample = random.pick(all);
        name = sample.name;
        // What is packed is damaged inside as well, or only the unpacking would be tried.
        if (kind === "NIfTI" && random.chance(6)) {
          name = "fuzz.nii.gz";
          return Uint8Array.from(gzipSync(mutated(random, random.pick(NIFTI).bytes)));
        }
        if (kind === "tar.gz" && random.chance(2)) return Uint8Array.from(gzipSync(mutated(random, Uint8Array.from(tarOf(NIFTI.slice(0, 2))))));
        return mutated(random, sample.bytes);
      };
      const { whole } = await tryAll(seed, cases * TIMES, make, (bytes) => exercise(name, bytes), typed);
      expect(whole).toBeGreaterThan(cases / 50);
    },
    600_000 * TIMES,
  );
});
