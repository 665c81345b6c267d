// NIfTI, NRRD, MetaImage, TIFF and PNG against what the software that wrote them reads.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { pixelDecoders } from "../../src/formats/codecs/index.ts";
import { decodePicture } from "../../src/cli/picture_decoder.ts";
import { type FileEntry, type Opened, openFiles } from "../../src/formats/index.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { QUICK } from "../support/quick.ts";

interface Truth {
  readonly shape?: readonly number[];
  readonly sha256_f32le: string;
  readonly spacing?: readonly number[];
  readonly origin?: readonly number[];
  readonly direction?: readonly number[];
  readonly volumes?: number;
  readonly refused?: string;
  readonly note?: string;
  readonly palette?: boolean;
}

const OWN = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const SHARED = join(dirname(fileURLToPath(import.meta.url)), "../../../shared/data/files");

function entryAt(folder: string, path: string, change = (bytes: Uint8Array<ArrayBuffer>) => bytes): FileEntry {
  return { path, source: bufferSource(change(new Uint8Array(readFileSync(join(folder, path)))), path) };
}

function open(folder: string, path: string, change?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): Promise<Opened> {
  const beside = (other: string) => (existsSync(join(folder, other)) && statSync(join(folder, other)).isFile() ? entryAt(folder, other) : undefined);
  return openFiles([entryAt(folder, path, change)], { decoders: pixelDecoders(), beside });
}

async function valuesOf(volume: Volume): Promise<{ shape: number[]; hash: string; mean: number }> {
  const hash = createHash("sha256");
  let [sum, count] = [0, 0];
  for (let i = 0; i < volume.slices; i++) {
    const { data } = await volume.slice(i);
    const floats = Float32Array.from(data);
    for (const value of floats) sum += value;
    count += floats.length;
    hash.update(new Uint8Array(floats.buffer));
  }
  const shape = [volume.slices, volume.rows, volume.columns, ...(volume.samples > 1 ? [volume.samples] : [])];
  return { shape, hash: hash.digest("hex"), mean: sum / count };
}

function expectNear(got: readonly number[], want: readonly number[]): void {
  expect(got).toHaveLength(want.length);
  for (const [i, value] of want.entries()) expect(Math.abs((got[i] as number) - value), `${got} for ${want}`).toBeLessThan(1e-4);
}

describe("fixtures of this project", () => {
  const truthIn = (name: string) => Object.entries(JSON.parse(readFileSync(join(OWN, `${name}.json`), "utf8")) as Record<string, Truth>);
  const all = ["volumes", "odd"].flatMap((folder) => truthIn(folder).map(([name, want]) => [folder, name, want] as const));
  it.each(all)("%s/%s", async (folder, name, want) => {
    const { volumes, refused } = await open(join(OWN, folder), name);
    expect(refused).toHaveLength(want.refused ? 1 : 0);
    if (want.refused) expect(refused[0]?.reason).toContain(want.refused);
    if (!want.shape) return;
    expect(volumes).toHaveLength(want.volumes ?? 1);
    const volume = volumes[0] as Volume;
    const { shape, hash } = await valuesOf(volume);
    expect(shape).toEqual(want.shape);
    expect(hash).toBe(want.sha256_f32le);
    if (want.note) expect(volume.notes.join()).toContain(want.note);
    expect(volume.palette !== undefined).toBe(Boolean(want.palette));
    if (!want.spacing) return;
    const { spacing, origin, direction } = volume.geometry ?? expect.unreachable("geometry");
    expectNear([spacing.betweenColumns, spacing.betweenRows, spacing.betweenSlices], want.spacing);
    expectNear(origin, want.origin ?? []);
    expectNear(direction, want.direction ?? []);
  });

  it("tells a picture without loss from one with, and one that is not read here from a damaged one", async () => {
    const options = { decoders: { ...pixelDecoders(), picture: decodePicture } };
    const [webp, bmp] = await Promise.all(["picture.webp", "picture.bmp"].map((name) => openFiles([entryAt(join(OWN, "odd"), name)], options)));
    expect(webp?.volumes[0]).toMatchObject({ format: "WEBP", notes: [] });
    expect(bmp?.refused[0]?.reason).toContain("a BMP picture. Save it as PNG");
  });

  it("refuses every file that is cut off, in words, whatever its length", async () => {
    for (const name of [
      "int16.nii.gz",
      "big_endian_scaled.nii",
      "oblique.mha",
      "ras_gzip.nrrd",
      "ras_ascii.nrrd",
      "uint16_lzw.tif",
      "gray16.png",
      "nifti2_left_handed_qform.nii",
    ]) {
      const { length } = readFileSync(join(OWN, "volumes", name));
      for (let i = 1; i <= 12; i++) {
        const { refused } = await open(join(OWN, "volumes"), name, (bytes) => bytes.slice(0, Math.floor((length * i) / 14)));
        expect(refused, `${name} ${i}/14`).toHaveLength(1);
        expect(refused[0]?.reason).not.toMatch(/undefined|TypeError|RangeError|is not a function|\[object/);
      }
    }
  });

  it("survives damage anywhere: opens or refuses in words, and soon", async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const names = all.filter(([, , want]) => !want.refused);
    for (let i = 0; i < (QUICK ? 150 : 600); i++) {
      const [folder, name] = names[i % names.length] as (typeof names)[number];
      const { volumes, refused } = await open(join(OWN, folder), name, (bytes) => {
        for (let n = 1 + random(3); n > 0; n--) bytes[random(2) ? random(bytes.length) : random(Math.min(bytes.length, 400))] = random(256);
        return bytes;
      });
      for (const { reason } of refused) expect(reason, name).not.toMatch(/undefined|TypeError|RangeError|is not a function|\[object|Cannot read/);
      for (const volume of volumes.slice(0, 2)) await volume.slice(0).catch((error) => expect(error.name, `${name}: ${error.stack}`).toBe("SamError"));
    }
  });
});

interface SharedTruth {
  readonly kind: string;
  readonly lossy?: boolean;
  readonly tolerance?: number;
  readonly values?: { readonly shape: readonly number[]; readonly sha256_f32le: string; readonly mean: number };
  readonly geometry?: SharedGeometry;
  readonly second_reader?: { readonly geometry?: SharedGeometry };
  readonly say?: string;
}
interface SharedGeometry {
  readonly spacing_mm: { readonly between_rows: number; readonly between_columns: number; readonly between_slices: number | null };
  readonly origin_lps?: readonly number[];
  readonly direction?: readonly number[];
}

const FOLDERS = /^(nifti|nrrd|tiff|png16)\//;

describe.runIf(existsSync(join(SHARED, "truth.json")))("real files beside the checkout", () => {
  const { files }: { files: Record<string, SharedTruth> } = existsSync(join(SHARED, "truth.json"))
    ? JSON.parse(readFileSync(join(SHARED, "truth.json"), "utf8"))
    : { files: {} };
  const entries = Object.entries(files).filter(([name]) => FOLDERS.test(name));

  it.each(entries)("%s", async (name, want) => {
    const { volumes, refused } = await open(SHARED, name);
    expect(refused).toEqual([]);
    const volume = volumes[0] as Volume;
    const whole = volume.whole ?? volume;
    const { shape, hash, mean } = await valuesOf(whole);
    expect(shape).toEqual(want.values?.shape.filter((side, i) => i < 3 || side > 1));
    if (want.lossy) expect(Math.abs(mean - (want.values?.mean ?? 0))).toBeLessThan(1);
    else expect(hash).toBe(want.values?.sha256_f32le);
    if (!want.geometry) return;
    const { spacing, origin, direction } = volume.geometry ?? expect.unreachable("geometry");
    const fits = ({ spacing_mm, origin_lps = origin, direction: turned = direction }: SharedGeometry) => {
      expectNear([spacing.betweenColumns, spacing.betweenRows], [spacing_mm.between_columns, spacing_mm.between_rows]);
      expectNear([spacing.betweenSlices], [spacing_mm.between_slices ?? spacing.betweenSlices]);
      expectNear([...origin, ...direction], [...origin_lps, ...turned]);
    };
    // Where trusted readers differ (no orientation at all), either is right.
    try {
      fits(want.geometry);
    } catch (error) {
      if (!want.second_reader?.geometry) throw error;
      fits(want.second_reader.geometry);
      expect(volume.notes.join()).toContain("orientation");
    }
  });

  it("counts them", () => {
    console.log(`${entries.length} files of nifti/, nrrd/, tiff/ and png16/`);
    expect(entries.length).toBeGreaterThan(80);
  });
});
