import { afterAll, beforeAll, expect, it } from "vitest";
import { type Hub, serveHub } from "../support/hub.ts";
import { smallWeights } from "./small_weights.ts";
import { cli, useFolder } from "./support.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const folder = useFolder();
let hub: Hub;
const before = { cache: process.env["XDG_CACHE_HOME"], hub: process.env["HF_ENDPOINT"] };

beforeAll(async () => {
  hub = await serveHub({ "lab/med": { revisions: { main: COMMIT }, files: { "model.safetensors": smallWeights(), "README.md": new Uint8Array(2) } } });
  process.env["XDG_CACHE_HOME"] = folder.file("cache");
  process.env["HF_ENDPOINT"] = hub.url;
});
afterAll(async () => {
  await hub.close();
  for (const [name, value] of [
    ["XDG_CACHE_HOME", before.cache],
    ["HF_ENDPOINT", before.hub],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

it("a hub address names weights on the command line: kept by commit, used without the hub when it does not answer", async () => {
  const inspect = async () => JSON.parse((await cli(["inspect", "hf:lab/med", "--json"])).stdout);
  const first = await inspect();
  expect(first).toMatchObject({ file: expect.stringMatching(/-model\.safetensors$/), usable: true, model: expect.stringMatching(/^SAM-Med2D width 64/) });
  const fetched = hub.fetched.length;
  expect(fetched).toBeGreaterThan(0);
  expect(await inspect()).toEqual(first);
  expect(hub.fetched.length).toBe(fetched);
  const absent = await cli(["inspect", "hf:lab/absent"]);
  expect([absent.code, absent.stdout]).toEqual([1, ""]);
  expect(absent.stderr).toMatch(/hf:lab\/absent: expected a repository that may be read, got Repository not found \(HTTP 401\)/);
  hub.silence();
  const alone = await inspect();
  expect(alone).toEqual({ ...first, notices: [expect.stringMatching(/does not answer: the copy of lab\/med kept here, commit 0123456/)] });
});
