import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { crc32 } from "../../src/bytes/crc32.ts";
import { openZip } from "../../src/bytes/zip.ts";
import { type Entry, type ZipOptions, zipFile } from "../checkpoint/build.ts";
import { type Bytes, concat, counting, samError } from "../checkpoint/support.ts";

const text = (value: string): Bytes => new TextEncoder().encode(value);
const open = (bytes: Bytes) => openZip(bufferSource(bytes, "w.zip"));
const TWO: Entry[] = [
  { name: "a", data: text("first") },
  { name: "b/c", data: text("second!"), pad: 21 },
];

describe("crc32", () => {
  it("has the known value, at any alignment and in any pieces", () => {
    expect(crc32(text("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
    const data = Uint8Array.from({ length: 300 }, (_, i) => i * 31);
    const whole = crc32(data);
    for (let cut = 0; cut < data.length; cut++) expect(crc32(data.subarray(cut), crc32(data.subarray(0, cut)))).toBe(whole);
  });
});

describe("zip", () => {
  const kinds: [what: string, options: ZipOptions][] = [
    ["as PyTorch writes it", {}],
    ["with sizes in the local headers", { descriptors: false }],
    ["with 64-bit fields", { zip64: true }],
    ["with a comment", { comment: "made by hand PK\x05\x06" }],
  ];
  for (const [what, options] of kinds) {
    it(`reads an archive ${what}`, async () => {
      const zip = await open(zipFile(TWO, options));
      expect([...zip.entries.keys()]).toEqual(["a", "b/c"]);
      for (const { name, data } of TWO) {
        const entry = zip.entries.get(name);
        if (!entry) throw new Error(name);
        expect(entry.size).toBe(data.length);
        expect(await zip.read(entry, 0, entry.size)).toEqual(data);
        expect(await zip.read(entry, 2, 3)).toEqual(data.slice(2, 5));
      }
    });
  }

  it("checks the CRC of what is read from front to back, in any pieces", async () => {
    const zip = await open(zipFile([{ name: "a", data: text("changed data"), claim: { crc: 1 } }]));
    const entry = zip.entries.get("a");
    if (!entry) throw new Error("a");
    await zip.read(entry, 0, 5);
    expect((await samError(zip.read(entry, 5, 7))).message).toMatch(/CRC 1, got/);
    expect((await samError(zip.read(entry, 0, 12))).message).toMatch(/CRC/);
    expect(await zip.read(entry, 3, 9)).toHaveLength(9);
    await samError(zip.read(entry, 3, 10));
  });

  const big = 2 ** 40;
  const broken: [what: string, bytes: Bytes, message: RegExp][] = [
    ["no directory", text("PK\x03\x04 and nothing else, however long it may be"), /no end record/],
    ["an empty file", new Uint8Array(0), /no end record/],
    ["stored entries larger than stored", zipFile([{ name: "a", data: text("x"), claim: { size: 9, packed: 1 } }]), /1 stored as 9/],
    ["one entry's data inside another's", zipFile([{ name: "a", data: text("first"), claim: { size: 60 } }, ...TWO.slice(1)]), /overlap/],
    ["two entries at one place", zipFile([...TWO, { name: "d", data: text("x"), claim: { header: 0 } }]), /overlap/],
    ["an entry past the end", zipFile([{ name: "a", data: text("x"), claim: { header: 5000 } }]), /\(overlap\)/],
    ["a 64-bit position past any file", zipFile([{ name: "a", data: text("x"), claim: { header: 2 ** 52 } }], { zip64: true }), /\(overlap\)/],
    ["a 64-bit size past any file", zipFile([{ name: "a", data: text("x"), claim: { size: big } }], { zip64: true }), /overlap/],
    ["one name twice", zipFile([TWO[0] as Entry, TWO[0] as Entry]), /"a" must be there once/],
    ["more entries than there are", zipFile(TWO, { end: { count: 3 } }), /3 entries in/],
    ["fewer entries than there are", zipFile(TWO, { end: { count: 1 } }), /1 entries in/],
    ["65,000 entries in a few bytes", zipFile(TWO, { end: { count: 65_000 } }), /65000 entries/],
    ["a directory of 2^40 bytes", zipFile(TWO, { zip64: true, end: { length: big } }), /directory of at most/],
    ["a directory past the end", zipFile(TWO, { end: { begin: 5000 } }), /directory of at most/],
    ["a directory at 2^40", zipFile(TWO, { zip64: true, end: { begin: big } }), /directory of at most/],
    ["a directory that begins elsewhere", zipFile(TWO, { end: { begin: 3 } }), /entries in/],
    ["bytes after the end", concat(zipFile(TWO), text("more")), /no end record/],
  ];
  for (const [what, bytes, message] of broken) {
    it(`refuses ${what}`, async () => {
      const source = counting(bufferSource(bytes, "w.zip"));
      expect((await samError(() => openZip(source))).message).toMatch(message);
      for (const { offset, length } of source.reads) expect(offset + length).toBeLessThanOrEqual(bytes.length);
    });
  }

  it("lists encrypted entries and reads the others", async () => {
    const zip = await open(zipFile([{ name: "a", data: text("x"), claim: { flags: 1 } }]));
    const entry = [...zip.entries.values()].find(({ encrypted }) => encrypted) ?? expect.fail();
    expect((await samError(zip.read(entry, 0, 1))).message).toMatch(/without a password, got an encrypted one/);
  });

  it("lists compressed entries and never unpacks them: a bomb stays small", async () => {
    const zip = await open(zipFile([{ name: "a", data: text("x"), claim: { method: 8, size: big, packed: 1 } }], { zip64: true }));
    expect((await samError(zip.read(zip.entries.get("a") ?? expect.fail(), 0, 1))).message).toMatch(/a compressed one/);
  });

  it("refuses 64-bit marks without a 64-bit record, and a locator that points nowhere", async () => {
    const wide = zipFile(TWO, { end: { begin: 0xffffffff } });
    expect((await samError(open(wide))).message).toMatch(/directory of at most/);
    const lost = zipFile(TWO, { zip64: true });
    lost[lost.length - 22 - 12] = 1;
    expect((await samError(open(lost))).message).toMatch(/64-bit end record/);
  });

  it("refuses a local header that says something else than the directory", async () => {
    const cases: Entry[] = [
      { name: "a", data: text("x"), localName: "b" },
      { name: "a", data: text("x"), localName: "longer" },
      { name: "later", data: text("xy"), claim: { header: 1 } },
    ];
    for (const entry of cases) {
      const zip = await open(zipFile([entry, { name: "z", data: text("z") }])).catch(() => undefined);
      const listed = zip?.entries.get(entry.name);
      if (zip && listed) await samError(zip.read(listed, 0, listed.size));
    }
    // Padding in the local header that pushes the data into the next entry.
    const bytes = zipFile(TWO);
    bytes[28] = 0xff;
    const zip = await open(bytes);
    const entry = zip.entries.get("a");
    expect((await samError(zip.read(entry ?? expect.fail(), 0, 5))).message).toMatch(/overlap/);
  });
});
