import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bufferSource, type ByteSource, type ReadProgress } from "../../src/bytes/byte_source.ts";
import { type CacheOptions, cachedSource, clearCached, listCached } from "../../src/bytes/cache.ts";
import { clearCachedFiles, listCachedFiles, nodeSource } from "../../src/bytes/node_source.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { Sha256 } from "../../src/bytes/sha256.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { verified } from "../../src/bytes/verify.ts";
import { answer, type Bytes, collect, concat, counting, expectSame, samError, serve, type TestServer } from "../checkpoint/support.ts";

/** Three parts of the cache, the last one short. */
const DATA: Bytes = new Uint8Array(20_000_003);
for (let i = 0; i < DATA.length; i++) DATA[i] = i * 13 + (i >> 9);
const SHA256 = createHash("sha256").update(DATA).digest("hex");
const QUICK = { http: { stallMs: 2000, retryMs: 1, attempts: 2 } };

/** Cache Storage as the browser has it, in memory; with a quota, it throws as the browser does. */
class MemoryCaches {
  readonly caches = new Map<string, Map<string, Bytes>>();
  quota = Number.POSITIVE_INFINITY;

  async keys(): Promise<string[]> {
    return [...this.caches.keys()];
  }

  async delete(name: string): Promise<boolean> {
    return this.caches.delete(name);
  }

  async open(name: string): Promise<Cache> {
    const entries = this.caches.get(name) ?? new Map<string, Bytes>();
    this.caches.set(name, entries);
    const cache: Pick<Cache, "put" | "match"> = {
      put: async (key, response) => {
        const bytes = new Uint8Array(await response.arrayBuffer());
        const used = [...this.caches.values()].flatMap((cache) => [...cache.values()]).reduce((sum, entry) => sum + entry.length, 0);
        if (used + bytes.length > this.quota) throw new DOMException("Quota exceeded.", "QuotaExceededError");
        entries.set(new URL(String(key)).href, bytes);
      },
      match: async (key) => {
        const bytes = entries.get(String(key));
        return bytes && new Response(bytes);
      },
    };
    return cache as Cache;
  }
}

let server: TestServer | undefined;
let handle: (request: IncomingMessage, response: ServerResponse, count: number) => void;
let caches: MemoryCaches;
let url = "";

beforeEach(async () => {
  handle = (request, response) => answer(request, response, DATA);
  server = await serve((...args) => handle(...args));
  url = server.url;
  caches = new MemoryCaches();
});
afterEach(() => server?.close());

const open = (options: CacheOptions = {}) => cachedSource(url, { ...QUICK, storage: caches as unknown as CacheStorage, ...options });

/** Drops the connection after some bytes of the file. */
function breakAt(limit: number): void {
  handle = (request, response) => {
    const begin = Number(/=(\d+)/.exec(request.headers.range ?? "")?.[1]);
    response.writeHead(206, { etag: '"1"', "content-length": DATA.length - begin, "content-range": `bytes ${begin}-${DATA.length - 1}/${DATA.length}` });
    response.write(DATA.subarray(begin, limit), () => setTimeout(() => response.destroy(), 50));
  };
}

async function expectWhole(source: ByteSource): Promise<void> {
  expect(source.size).toBe(DATA.length);
  expectSame(await source.read(0, DATA.length), DATA);
  expectSame(await source.read(8_388_600, 20), DATA.subarray(8_388_600, 8_388_620));
  await source.close();
}

describe("cachedSource", () => {
  it("fetches once, then reads from the cache; a promised hash needs no request at all", async () => {
    const seen: ReadProgress[] = [];
    await expectWhole(await open({ sha256: SHA256, onProgress: (progress) => seen.push(progress) }));
    const told = seen.map(({ loaded }) => loaded);
    expect(told).toEqual(expect.arrayContaining([8_388_608, 16_777_216, 20_000_003]));
    // A slow line says how far it is long before a part is there.
    expect(Math.max(...told.map((loaded, i) => loaded - (told[i - 1] ?? 0)))).toBeLessThanOrEqual(256 << 10);
    expect(seen.at(-1)).toMatchObject({ stage: "download", total: DATA.length });
    expect(server?.requests).toHaveLength(1);
    await expectWhole(await open({ sha256: SHA256 }));
    expect(server?.requests).toHaveLength(1);
    expect(await listCached(caches as unknown as CacheStorage)).toEqual([{ url, bytes: DATA.length, kept: DATA.length, version: SHA256, sha256: SHA256 }]);
  });

  it("asks the server which version it has, and keeps only that one", async () => {
    await expectWhole(await open());
    await expectWhole(await open());
    expect(server?.requests).toHaveLength(2);
    const newer = DATA.slice().fill(7, 0, 100);
    handle = (request, response) => answer(request, response, newer, { etag: '"2"' });
    expectSame(await (await open()).read(0, 200), newer.subarray(0, 200));
    const kept = await listCached(caches as unknown as CacheStorage);
    expect(kept.map(({ version }) => version)).toEqual(['"2"']);
    expect([...caches.caches.values()].map((cache) => cache.size)).toEqual([4]);
  });

  it("uses the kept copy when the server is away, and says so", async () => {
    await open();
    await server?.close();
    const notices: string[] = [];
    await expectWhole(await open({ onNotice: (words) => notices.push(words) }));
    expect(notices.join()).toMatch(/copy kept in this browser/);
    await samError(open({ version: "another" }));
    await samError(cachedSource(`${url}/other`, { ...QUICK, storage: caches as unknown as CacheStorage }));
  });

  it("goes on where a broken download stopped", async () => {
    breakAt(17_000_000);
    await samError(open({ sha256: SHA256 }));
    expect(await listCached(caches as unknown as CacheStorage)).toMatchObject([{ bytes: DATA.length, kept: 16_777_216 }]);
    handle = (request, response) => answer(request, response, DATA);
    const before = server?.requests.length ?? 0;
    await expectWhole(await open({ sha256: SHA256 }));
    expect(server?.requests.slice(before).map(({ range }) => range)).toEqual(["bytes=0-", "bytes=16777216-"]);
  });

  it("leaves nothing behind when cancelled", async () => {
    const controller = new AbortController();
    await expect(open({ signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(caches.caches.size).toBe(0);
  });

  it("refuses a file with another hash, and forgets it", async () => {
    const wrong = "0".repeat(64);
    expect((await samError(open({ sha256: wrong }))).message).toMatch(new RegExp(`SHA-256 ${wrong}, got ${SHA256}`));
    expect(caches.caches.size).toBe(0);
    expect((await samError(open({ sha256: "abc" }))).message).toMatch(/64 hexadecimal digits/);
  });

  it("reads over the network when there is no room, and says so", async () => {
    caches.quota = 10_000_000;
    const notices: string[] = [];
    await expectWhole(await open({ onNotice: (words) => notices.push(words) }));
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/no room to keep the 21 MB of weights.*Free some space/);
    expect(caches.caches.size).toBe(0);
  });

  it("reads over the network where nothing may be kept, still checking the hash", async () => {
    const refusing = {
      keys: async () => {
        throw new DOMException("not here", "SecurityError");
      },
    } as unknown as CacheStorage;
    const notices: string[] = [];
    await expectWhole(await open({ storage: refusing, sha256: SHA256, onNotice: (words) => notices.push(words) }));
    expect(notices.join()).toMatch(/private window/);
    const wrong = await open({ storage: refusing, sha256: "0".repeat(64) });
    expect((await samError(wrong.read(0, DATA.length))).message).toMatch(/SHA-256/);
    expect(await listCached(refusing)).toEqual([]);
    await clearCached(undefined, refusing);
    // Node has no Cache Storage at all, as have pages that are not secure.
    await expectWhole(await cachedSource(url, QUICK));
  });

  it("fetches again what the browser threw away", async () => {
    await open({ sha256: SHA256 });
    const lose = () => {
      for (const cache of caches.caches.values()) for (const key of cache.keys()) if (key.endsWith("/1")) cache.delete(key);
    };
    lose();
    await expectWhole(await open({ sha256: SHA256 }));
    const source = await open({ sha256: SHA256 });
    lose();
    expect((await samError(source.read(0, DATA.length))).message).toMatch(/threw it away/);
  });

  it("clears one address or all", async () => {
    const other = await serve((request, response) => answer(request, response, new Uint8Array(10)));
    const storage = caches as unknown as CacheStorage;
    await open();
    await cachedSource(other.url, { ...QUICK, storage });
    expect(await listCached(storage)).toHaveLength(2);
    await clearCached(url, storage);
    expect((await listCached(storage)).map((file) => file.url)).toEqual([other.url]);
    await clearCached(undefined, storage);
    expect(caches.caches.size).toBe(0);
    await other.close();
  });

  it("clears an address as the page wrote it, relative to itself", async () => {
    const storage = caches as unknown as CacheStorage;
    await open();
    vi.stubGlobal("location", { href: url });
    await clearCached(new URL(url).pathname, storage).finally(() => vi.unstubAllGlobals());
    expect(await listCached(storage)).toEqual([]);
  });

  it("refuses what is no address", async () => {
    expect((await samError(cachedSource("weights.pth"))).message).toMatch(/https:\/\/ in front/);
    expect((await samError(cachedSource("C:\\models\\weights.pth"))).message).toMatch(/pathToFileURL/);
  });
});

describe("the cache folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "sam-med2d-"));
  const before = process.env.XDG_CACHE_HOME;
  const inFolder = () => readdirSync(join(folder, "sam-med2d"));
  beforeEach(async () => {
    process.env.XDG_CACHE_HOME = folder;
    await clearCachedFiles();
  });
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("fetches once, by version or by hash, and works offline", async () => {
    await expectWhole(await nodeSource(url, QUICK));
    await expectWhole(await nodeSource(url, QUICK));
    expect(server?.requests).toHaveLength(2);
    await expectWhole(await nodeSource(url, { ...QUICK, sha256: SHA256 }));
    await expectWhole(await nodeSource(url, { ...QUICK, sha256: SHA256 }));
    expect(server?.requests).toHaveLength(3);
    expect(await listCachedFiles()).toEqual([{ url, bytes: DATA.length, kept: DATA.length, version: SHA256, sha256: SHA256 }]);
    expect(inFolder()).toHaveLength(2);
    await server?.close();
    await expectWhole(await nodeSource(url, QUICK));
  });

  it("goes on where a broken download stopped", async () => {
    breakAt(9_000_000);
    await samError(nodeSource(url, { ...QUICK, sha256: SHA256 }));
    expect((await listCachedFiles())[0]?.kept).toBe(8_388_608);
    handle = (request, response) => answer(request, response, DATA);
    await expectWhole(await nodeSource(url, { ...QUICK, sha256: SHA256 }));
    expect(server?.requests.at(-1)?.range).toBe("bytes=8388608-");
  });

  it("leaves nothing behind when cancelled or when the hash is another", async () => {
    const controller = new AbortController();
    const options = { ...QUICK, signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) };
    await expect(nodeSource(url, options)).rejects.toThrow("enough");
    expect(inFolder()).toEqual([]);
    await samError(nodeSource(url, { ...QUICK, sha256: "0".repeat(64) }));
    expect(inFolder()).toEqual([]);
  });

  it("checks the hash of a file on disk while it is read", async () => {
    await (await nodeSource(url, QUICK)).close();
    const path = join(folder, "sam-med2d", inFolder().find((name) => !name.endsWith(".json")) ?? "");
    expect(statSync(path).size).toBe(DATA.length);
    await expectWhole(await nodeSource(path, { sha256: SHA256 }));
    const wrong = await nodeSource(path, { sha256: "0".repeat(64) });
    await samError(wrong.read(0, DATA.length));
    await wrong.close();
  });

  it("says when the folder cannot be made", async () => {
    process.env.XDG_CACHE_HOME = "/dev/null";
    expect((await samError(nodeSource(url, QUICK))).message).toMatch(/a folder to keep the weights in/);
  });
});

describe("Sha256", () => {
  it("agrees with Node's at every length around a block, in any pieces", () => {
    for (let length = 0; length < 200; length++) {
      const data = DATA.subarray(5, 5 + length);
      const cut = length >> 1;
      const got = new Sha256().update(data.subarray(0, cut)).update(data.subarray(cut)).digest();
      expect(got).toBe(createHash("sha256").update(data).digest("hex"));
    }
    expect(new Sha256().update(DATA).digest("hex")).toBe(SHA256);
  });
});

describe("verified", () => {
  const small = DATA.slice(0, 3_000_000);
  const hash = createHash("sha256").update(small).digest("hex");

  it("reads small gaps for the hash and large ones at the end", async () => {
    const counted = counting(bufferSource(small));
    const source = verified(counted, hash);
    await source.read(2_999_000, 1000);
    await source.read(0, 100);
    await source.read(500, 100);
    expect(counted.reads).toContainEqual({ offset: 100, length: 400 });
    await source.read(2_000_000, 100);
    await source.verify();
    await source.verify();
    await samError(verified(bufferSource(small), SHA256).verify());
  });

  it("throws on the last read of a wrong file, however the reads overlap", async () => {
    const source = verified(bufferSource(small), SHA256);
    await source.read(0, 2_000_000);
    await source.read(1_000_000, 1_500_000);
    expect((await samError(source.read(2_400_000, 600_000))).message).toMatch(/SHA-256/);
    await samError(source.verify());
  });

  it("checks a checkpoint of either kind", async () => {
    const file = await collect((await convertCheckpoint(synthetic(1, [{ name: "a", shape: [5000] }]), { dtype: "f32" })).files[0]?.pieces() ?? expect.fail());
    const promised = createHash("sha256").update(file).digest("hex");
    const good = await openCheckpoint(file, { sha256: promised });
    await good.read("a", 0, 5000);
    await good.verify?.();
    const bad = await openCheckpoint(concat(file.subarray(0, -1), Uint8Array.of(1)), { sha256: promised });
    await samError(bad.read("a", 0, 5000));
    expect((await openCheckpoint(file)).verify).toBeUndefined();
  });
});
