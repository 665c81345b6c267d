// A real DICOMweb server on loopback, empty at the start: Orthanc with its plugin, as set-up found it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { readSetup } from "./setup_file.ts";
import { until } from "./until.ts";

export const orthancIsHere = readSetup().orthanc !== undefined;

export interface Orthanc {
  /** Its DICOMweb root, and what its only user signs in with. */
  readonly server: { readonly url: string; readonly headers: { readonly Authorization: string } };
  /** Puts files into it; gives how many it took. */
  fill(files: readonly Uint8Array[]): Promise<number>;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `settings` go over the usual ones. */
export async function startOrthanc(settings: Record<string, unknown> = {}): Promise<Orthanc> {
  const { orthanc } = readSetup();
  if (!orthanc) throw new Error("Orthanc was not found: npm run setup");
  const folder = mkdtempSync(join(tmpdir(), "sam_med2d_orthanc_"));
  const port = await freePort();
  const configuration = {
    Name: "test",
    StorageDirectory: join(folder, "files"),
    IndexDirectory: join(folder, "files"),
    HttpPort: port,
    DicomServerEnabled: false,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: true,
    RegisteredUsers: { reader: "radiology" },
    Plugins: [orthanc.plugin],
    DicomWeb: { Enable: true, Root: "/dicom-web/" },
    ...settings,
  };
  const file = join(folder, "orthanc.json");
  writeFileSync(file, JSON.stringify(configuration));
  const child = spawn(orthanc.path, [file], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const headers = { Authorization: `Basic ${btoa("reader:radiology")}` };
  const base = `http://127.0.0.1:${port}`;
  const answers = until(async () => expect((await fetch(`${base}/dicom-web/studies`, { headers })).status).toBe(200));
  const fails = ended.then(() => Promise.reject(new Error(`Orthanc ended:\n${log}`)));
  fails.catch(() => undefined);
  await Promise.race([answers, fails]);
  return {
    server: { url: `${base}/dicom-web`, headers },
    async fill(files) {
      let taken = 0;
      for (const body of files) {
        const { ok } = await fetch(`${base}/instances`, { method: "POST", headers, body: new Uint8Array(body) });
        if (ok) taken++;
      }
      return taken;
    },
    async close() {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
