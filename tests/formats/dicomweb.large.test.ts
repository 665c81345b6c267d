// DICOMweb against a real server, Orthanc with its plugin: what is opened from it is what the files give.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dicomWebSeries, dicomWebStudies, fromDicomWeb, type Opened, toDicomWeb } from "../../src/formats/index.ts";
import { countVoxels } from "../../src/volume/segmentation.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { samError as anySamError } from "../checkpoint/support.ts";
import { cli } from "../cli/support.ts";
import { type Orthanc, orthancIsHere, startOrthanc } from "../support/orthanc.ts";
import { decoders, entriesOf, open, valuesOf } from "./support.ts";

const DICOM = join(import.meta.dirname, "fixtures/dicom");
/** Without the deliberately bad ones, of which a server keeps only some, and numbers that JSON has no word for. */
const names = readdirSync(DICOM).filter((name) => name !== "bad" && name !== "decimal_commas.dcm");
const filesIn = (path: string): string[] => (statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesIn(join(path, name))) : [path]);

const samError = (work: Promise<unknown>) => anySamError(work, "file");

let orthanc: Orthanc;
let study: string;
let served: Opened;

const instancesOf = ({ dicom }: Volume) => (dicom?.instances ?? []).map(({ sopInstance, frame }) => `${sopInstance} ${frame ?? 1}`);

describe.skipIf(!orthancIsHere)("a server", () => {
  beforeAll(async () => {
    orthanc = await startOrthanc();
    const files = names.flatMap((name) => filesIn(join(DICOM, name)));
    // It refuses what has no meta header, and a file written otherwise than it says.
    expect(await orthanc.fill(files.map((file) => readFileSync(file)))).toBeGreaterThan(files.length - 10);
    const studies = await dicomWebStudies({ url: `${orthanc.server.url}/`, headers: orthanc.server.headers });
    expect(studies.length).toBeGreaterThan(0);
    study = (studies[0] as (typeof studies)[0]).study;
    served = await fromDicomWeb({ ...orthanc.server, study, decoders });
  });
  afterAll(() => orthanc?.close());

  it("lists what it has, and names no patient", async () => {
    const studies = await dicomWebStudies(orthanc.server);
    expect(studies).toHaveLength(1);
    expect(studies[0]?.modalities).toContain("CT");
    expect(JSON.stringify(studies)).not.toMatch(/phantom/i);
    const series = await dicomWebSeries({ ...orthanc.server, study });
    expect(series).toHaveLength(studies[0]?.series as number);
    expect(series.find(({ description }) => description === "voi_lut.dcm")).toMatchObject({ modality: "CT", instances: 1 });
    expect(await dicomWebStudies({ ...orthanc.server, query: { StudyDate: "19000101-19001231" } })).toEqual([]);
  });

  it("gives series as their files do: every transfer syntax, order, geometry, windows", async () => {
    expect(served.refused).toEqual([]);
    const { volumes } = await open(names.flatMap((name) => entriesOf(join(DICOM, name))));
    const byInstances = new Map(volumes.map((volume) => [instancesOf(volume).join(), volume]));
    expect(served.volumes.length).toBeGreaterThan(50);
    let matched = 0;
    for (const volume of served.volumes) {
      const local = byInstances.get(instancesOf(volume).join());
      if (!local) continue;
      matched++;
      expect({ name: volume.name, ...(await valuesOf(volume)) }).toEqual({ name: local.name, ...(await valuesOf(local)) });
      expect(volume.geometry).toEqual(local.geometry);
      expect(volume.windows).toEqual(local.windows);
      for (const key of ["modality", "unit", "inverted", "photometric", "padding"] as const) expect(volume[key]).toEqual(local[key]);
      expect(volume.dicom?.elements.get("0020000d")?.value).toBe(study);
    }
    // Files that the server refused make some series shorter.
    expect(matched).toBeGreaterThan(served.volumes.length - 4);
  });

  it("gives segmentations", async () => {
    const { segmentations } = await open(["seg_binary.dcm", "seg_fractional.dcm", "seg_labelmap.dcm"].flatMap((name) => entriesOf(join(DICOM, name))));
    const counts = (all: Opened["segmentations"]) => Promise.all(all.map(async (one) => [one.kind, ...(await countVoxels(one))].join()));
    expect((await counts(served.segmentations)).sort()).toEqual((await counts(segmentations)).sort());
  });

  it("gives one series alone, and asks for a frame when its slice is wanted", async () => {
    const series = (await dicomWebSeries({ ...orthanc.server, study })).find(({ instances }) => (instances ?? 0) > 3)?.series as string;
    const { volumes } = await fromDicomWeb({ ...orthanc.server, study, series, decoders });
    const [volume] = volumes as [Volume];
    expect(volume.files[0]).toContain(`/series/${series}/instances/`);
    const controller = new AbortController();
    const slice = volume.slice(0, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(slice).rejects.toThrow("enough");
    expect((await volume.slice(0)).data.length).toBe(volume.rows * volume.columns);
  });

  it("says what is not there and who may not look", async () => {
    expect((await samError(fromDicomWeb({ ...orthanc.server, study: "1.2.3" }))).message).toContain("knows no such study");
    expect((await samError(fromDicomWeb({ ...orthanc.server, study, series: "1.2.3" }))).message).toMatch(/no such (study, )?series/);
    expect((await samError(fromDicomWeb({ url: orthanc.server.url, study }))).message).toContain("bearer token");
    expect((await samError(dicomWebStudies({ url: orthanc.server.url.replace("/dicom-web", "/nothing"), headers: orthanc.server.headers }))).message).toContain(
      "HTTP 404",
    );
    // Orthanc's own page, instead of its DICOMweb.
    expect((await samError(fromDicomWeb({ ...orthanc.server, study: "../../app" }))).message).toContain("a UID of digits and points");
  });

  it("is read by the command line, signed in by its environment", async () => {
    const address = `${orthanc.server.url}/studies/${study}`;
    const refused = await cli(["info", address]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("DICOMWEB_AUTHORIZATION");
    process.env.DICOMWEB_AUTHORIZATION = orthanc.server.headers.Authorization;
    try {
      const series = (await dicomWebSeries({ ...orthanc.server, study })).find(({ description }) => description === "voi_lut.dcm")?.series as string;
      const { code, stdout } = await cli(["info", "--values", `${address}/series/${series}`]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^voi_lut\.dcm\n/);
      const { stderr } = await cli(["info", orthanc.server.url]);
      expect(stderr).toContain(study);
      expect(stderr + stdout).not.toMatch(/phantom/i);
      expect((await cli(["segment", address, "--point", "1,1"])).stderr).toContain("--out is needed");
    } finally {
      delete process.env.DICOMWEB_AUTHORIZATION;
    }
  });

  it("takes files and gives them back", async () => {
    const other = await startOrthanc();
    try {
      const file = readFileSync(join(DICOM, "u16.dcm"));
      await toDicomWeb([file, readFileSync(join(DICOM, "seg_binary.dcm"))], other.server);
      const { volumes, segmentations } = await fromDicomWeb({ ...other.server, study, decoders });
      expect(volumes).toHaveLength(1);
      expect(segmentations).toHaveLength(1);
      expect((await samError(toDicomWeb([file.subarray(0, 200)], other.server))).message).toMatch(/did not keep|HTTP 4/);
    } finally {
      await other.close();
    }
  });
});
