// Segmentations sent back to the server their series came from, Orthanc with its plugin, and fetched again.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromDicomWeb, toDicomWeb, writeLabels } from "../../src/formats/index.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { layLabels } from "../../src/volume/lay.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { samError } from "../checkpoint/support.ts";
import { type Orthanc, orthancIsHere, startOrthanc } from "../support/orthanc.ts";
import { decoders } from "./support.ts";

const DICOM = join(import.meta.dirname, "fixtures/dicom");
const SERIES = ["sagittal", "gap", "tilt", "feet_first"];

describe.skipIf(!orthancIsHere)("a segmentation on a server", () => {
  let orthanc: Orthanc;
  beforeAll(async () => {
    orthanc = await startOrthanc();
    const files = SERIES.flatMap((name) => readdirSync(join(DICOM, name)).map((file) => join(DICOM, name, file)));
    await orthanc.fill([...files, join(DICOM, "enhanced_reversed.dcm")].map((file) => readFileSync(file)));
  });
  afterAll(() => orthanc?.close());

  const servedVolumes = async () => {
    const studies = (await (
      await fetch(`${orthanc.server.url}/studies`, { headers: { ...orthanc.server.headers, Accept: "application/dicom+json" } })
    ).json()) as Record<string, { Value: string[] }>[];
    return Promise.all(
      studies.map(async (one) => ({
        study: one["0020000D"]?.Value[0] as string,
        ...(await fromDicomWeb({ ...orthanc.server, study: one["0020000D"]?.Value[0] as string, decoders })),
      })),
    );
  };

  it("is kept, said so, and comes back to the same voxels: gaps, tilt, reversed order, multi-frame", async () => {
    const served = await servedVolumes();
    const drawn: { study: string; volume: Volume; map: Labelmap; sopInstance: string }[] = [];
    for (const { study, volumes } of served) {
      for (const volume of volumes.filter(({ slices }) => slices > 1)) {
        const { columns, rows, slices } = volume;
        const map = new Labelmap(
          columns,
          rows,
          slices,
          [1, 2].map((id) => ({ id, name: `drawn ${id}`, color: [40 * id, 200, 10] as const })),
        );
        map.draw(1, slices - 1, Uint32Array.of(1, 4, columns + 2, columns + 5));
        map.draw(2, 1, Uint32Array.of(columns * rows - 5, columns * rows));
        const answer = await toDicomWeb([await writeLabels(map, volume, "dicom-seg", { description: `of ${volume.name}` })], { ...orthanc.server, study });
        expect(answer).toMatchObject({ status: 200, kept: [{ sopInstance: expect.stringMatching(/^2\.25\./), url: expect.stringContaining("/instances/") }] });
        drawn.push({ study, volume, map, sopInstance: answer.kept[0]?.sopInstance as string });
      }
    }
    expect(drawn.length).toBeGreaterThanOrEqual(5);
    const again = await servedVolumes();
    for (const { study, volume, map } of drawn) {
      const { segmentations } = again.find((one) => one.study === study) as (typeof again)[number];
      const own = segmentations.filter(({ name }) => name === `of ${volume.name}`);
      const laid = await Promise.all(
        own.map((one) =>
          layLabels(one, volume).then(
            ({ labelmap }) => labelmap.save().drawn,
            () => undefined,
          ),
        ),
      );
      expect(laid).toContainEqual(map.save().drawn);
    }
  });

  it("is refused in words where the server keeps it not", async () => {
    const [first] = await servedVolumes();
    const volume = first?.volumes.find(({ slices }) => slices > 1) as Volume;
    const map = new Labelmap(volume.columns, volume.rows, volume.slices, [{ id: 1, name: "a", color: [1, 2, 3] }]);
    map.draw(1, 0, Uint32Array.of(0, 3));
    const file = await writeLabels(map, volume, "dicom-seg");
    const elsewhere = await samError(toDicomWeb([file], { ...orthanc.server, study: "1.2.3" }), "file");
    expect(elsewhere.message).toMatch(/keeps all 1 files, got 1 that it did not keep \(.*code [0-9A-F]{4}\)/);
    const { headers: _, ...unsigned } = orthanc.server;
    expect((await samError(toDicomWeb([file], unsigned), "file")).message).toMatch(/sign-in \(HTTP 401\)/);
  });
});
