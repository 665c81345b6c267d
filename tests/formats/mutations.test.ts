// Damaged files: each of the phantoms with bytes changed, left out or doubled. Whatever comes of it, it is said in words, and soon.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { SamError } from "../../src/errors.ts";
import { QUICK } from "../support/quick.ts";
import { open } from "./support.ts";

const FOLDER = join(import.meta.dirname, "fixtures/dicom");
const files = readdirSync(FOLDER)
  .map((name) => join(FOLDER, name))
  .filter((path) => statSync(path).isFile());
const RUNS = Number(process.env.MUTATIONS ?? (QUICK ? 100 : 400));

/** Marsaglia's xorshift: the same files on every machine. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function damaged(bytes: Uint8Array<ArrayBuffer>, seed: number): Uint8Array<ArrayBuffer> {
  const pick = random(seed);
  const out = bytes.slice();
  const kind = pick(4);
  if (kind === 0) return out.slice(0, pick(out.length));
  if (kind === 1) {
    const at = pick(out.length);
    return Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - pick(64)))]);
  }
  for (let i = 0; i <= pick(8); i++) out[132 + pick(Math.max(1, Math.min(out.length, kind === 2 ? 2000 : out.length) - 132))] = pick(256);
  return out;
}

it(`${RUNS} damaged DICOM files are opened or refused in words`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const path = files[seed % files.length] as string;
    const bytes = damaged(new Uint8Array(readFileSync(path)), seed);
    const { volumes, segmentations, refused } = await open([{ path: "damaged.dcm", source: bufferSource(bytes, "damaged.dcm") }]);
    const said = refused.map(({ reason }) => reason);
    for (const volume of volumes) {
      if (volume.rows * volume.columns > 1e7) continue;
      await volume.slice(0).catch((error) => {
        if (!(error instanceof SamError)) throw new Error(`seed ${seed}: ${error?.stack ?? error}`);
        said.push(error.message);
      });
    }
    expect(volumes.length + segmentations.length + refused.length, `seed ${seed}`).toBeGreaterThan(0);
    for (const words of said) expect(words, `seed ${seed}`).not.toMatch(/undefined|TypeError|RangeError|Cannot read|is not a function|\[object/);
  }
});
