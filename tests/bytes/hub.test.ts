import { afterEach, describe, expect, it } from "vitest";
import { hubFile } from "../../src/bytes/hub.ts";
import { inputBeside, inputSaid } from "../../src/model/preprocessor.ts";
import { openCheckpoint, type OpenOptions } from "../../src/checkpoint/open.ts";
import { expectSame, f32, rawSafetensors, samError } from "../checkpoint/support.ts";
import { type Hub, type Repository, serveHub } from "../support/hub.ts";

const OLD = `${"0".repeat(39)}1`;
const NEW = `${"0".repeat(39)}2`;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const entry = (name: string, at = 0) => ({ [name]: { dtype: "F32", shape: [2], data_offsets: [at, at + 8] } });
const ONE = rawSafetensors(entry("a.weight"), f32(1, 2));
const HTTP = { attempts: 2, retryMs: 1 };

const REPOSITORIES: Record<string, Repository> = {
  "lab/one": { revisions: { main: NEW, "v1.0": OLD, "refs/pr/1": OLD }, files: { "README.md": json(""), "model.safetensors": ONE, "pytorch_model.bin": ONE } },
  "lab/sharded": {
    revisions: { main: NEW },
    files: {
      "model.safetensors.index.json": json({ weight_map: { "a.weight": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors" } }),
      "model-00001-of-00002.safetensors": ONE,
      "model-00002-of-00002.safetensors": rawSafetensors(entry("b.weight"), f32(3, 4)),
      "preprocessor_config.json": json({ do_normalize: false }),
    },
  },
  "lab/own-name": { revisions: { main: NEW }, files: { "weights/medsam vit.safetensors": ONE, "training_args.bin": ONE } },
  "lab/several": { revisions: { main: NEW }, files: { "a.pth": ONE, "b.pth": ONE, "optimizer.pt": ONE } },
  "lab/none": { revisions: { main: NEW }, files: { "README.md": json(""), "config.json": json({}) } },
  "lab/gated": { revisions: { main: NEW }, files: { "model.safetensors": ONE }, gated: true },
};

describe("hub addresses", () => {
  let hub: Hub;
  const start = async (options?: Parameters<typeof serveHub>[1]) => {
    hub = await serveHub(REPOSITORIES, options);
    return { hub: hub.url, http: HTTP };
  };
  const open = (address: string, options: OpenOptions) => openCheckpoint(address, { cache: false, ...options });
  afterEach(() => hub.close());

  it("become the plain address of one file at its commit", async () => {
    const options = await start();
    const at = (commit: string, repository = "lab/one", file = "model.safetensors") => `${hub.url}/${repository}/resolve/${commit}/${file}`;
    const file = async (address: string) => (await hubFile(address, options)).url;
    expect(await file("hf:lab/one")).toBe(at(NEW));
    expect(await file("hf://lab/one/")).toBe(at(NEW));
    expect(await file("hf:lab/one@v1.0")).toBe(at(OLD));
    expect(await file("hf:lab/one@refs%2Fpr%2F1/model.safetensors")).toBe(at(OLD));
    expect(await file("hf:lab/one/pytorch_model.bin")).toBe(at(NEW, "lab/one", "pytorch_model.bin"));
    expect(await file("hf:lab/own-name")).toBe(at(NEW, "lab/own-name", "weights/medsam%20vit.safetensors"));
    expect(await file("hf:lab/sharded")).toBe(at(NEW, "lab/sharded", "model.safetensors.index.json"));
    const before = hub.asked.length;
    expect(await file(`hf:lab/one@${OLD}/model.safetensors`)).toBe(at(OLD));
    expect(hub.asked.length).toBe(before);
  });

  it("take the commit from the header where the answer does not say it", async () => {
    expect((await hubFile("hf:lab/one", await start({ commitInHeader: true }))).commit).toBe(NEW);
  });

  it("are opened by ranges, behind a redirect, one file or several", async () => {
    const options = await start();
    const one = await open("hf:lab/one", options);
    expectSame(new Float32Array((await one.read("a.weight", 0, 2)).buffer), f32(1, 2));
    expect(one.label).toBe(`${hub.url}/lab/one/resolve/${NEW}/model.safetensors`);
    await one.close();
    expect(hub.fetched.every(({ range }) => range?.startsWith("bytes="))).toBe(true);
    const two = await open("hf:lab/sharded", options);
    expect([...two.tensors.keys()]).toEqual(["a.weight", "b.weight"]);
    expectSame(await two.read("b.weight", 0, 2), f32(3, 4));
    expect(await inputBeside(two)).toBe("medsam");
    await two.close();
    // Of a repository without it, nobody asks for it.
    const asked = hub.asked.length;
    expect(await inputBeside(one)).toBeUndefined();
    expect(hub.asked.length).toBe(asked);
  });

  it.each([
    ["hf:lab/absent", /^hf:lab\/absent: expected a repository that may be read, got Repository not found \(HTTP 401\)\. Check owner/],
    ["hf:lab/one@v9", /got Invalid rev id: v9 \(HTTP 404\)/],
    ["hf:lab/one/absent.pth", /weights must be a file of the repository, got no absent\.pth; it has model\.safetensors, pytorch_model\.bin/],
    ["hf:lab/several", /one file of weights, got a\.pth, b\.pth\. Name the file too: hf:lab\/several\/a\.pth/],
    ["hf:lab/none", /one file of weights, got no weights/],
    ["hf:lab/gated", /model\.safetensors: expected a file that may be read, got Access to model lab\/gated is restricted\. \(HTTP 403\)/],
    ["hf:one", /weights must be hf:owner\/name, .* got another form/],
    ["hf:lab/one/../two", /got another form/],
  ])("say what is wrong with %s", async (address, words) => {
    expect((await samError(open(address, await start()))).message).toMatch(words);
  });

  it("fall back on what is kept where the hub does not answer", async () => {
    const options = await start();
    const { url } = await hubFile("hf:lab/one", options);
    hub.silence();
    const notices: string[] = [];
    const kept = async () => [{ url, bytes: 8, kept: 8, version: NEW }];
    const how = { ...options, kept, onNotice: (words: string) => notices.push(words) };
    expect(await hubFile("hf:lab/one", how)).toEqual({ url, commit: NEW });
    expect(notices).toEqual([expect.stringMatching(/does not answer: the copy of lab\/one kept here, commit 0000000, is used\.$/)]);
    expect((await samError(hubFile(`hf:lab/one@${OLD}`, how))).message).toMatch(/an answer from the hub/);
    expect((await samError(hubFile("hf:lab/one", { ...options, kept: async () => [{ url, bytes: 8, kept: 7, version: NEW }] }))).message).toMatch(/an answer/);
  });
});

describe("preprocessor_config.json", () => {
  it("tells SAM's way of bringing images in from MedSAM's, and nothing where it does not say", () => {
    const SAM = { do_normalize: true, do_pad: true, do_resize: true, image_mean: [0.485, 0.456, 0.406], size: { longest_edge: 1024 } };
    expect(inputSaid(SAM)).toBe("sam");
    expect(inputSaid({ ...SAM, do_normalize: false })).toBe("medsam");
    expect(inputSaid({ ...SAM, size: { height: 1024, width: 1024 } })).toBeUndefined();
    for (const other of [null, [], 3, {}, { do_resize: true }, { do_normalize: "yes" }]) expect(inputSaid(other)).toBeUndefined();
  });

  it("is read where it was chosen with the weights", async () => {
    const files = (text: string) => [new File([ONE], "model.safetensors"), new File(["{}"], "config.json"), new File([text], "preprocessor_config.json")];
    expect(await inputBeside(await openCheckpoint(files('{"do_normalize": false}')))).toBe("medsam");
    expect(await inputBeside(await openCheckpoint(files("{")))).toBeUndefined();
    expect([...(await openCheckpoint(files("{}"))).tensors.keys()]).toEqual(["a.weight"]);
  });
});
