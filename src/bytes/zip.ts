// The zip container: found by the directory at the end, stored entries read in place. Packed ones are for whoever can bound what comes out of them.
import { type ByteSource, expectInside } from "./byte_source.ts";
import { crc32 } from "./crc32.ts";
import { bad, DAMAGED, quoted } from "./fail.ts";

export interface ZipEntry {
  readonly name: string;
  /** Bytes it takes in the file. */
  readonly size: number;
  /** A compressed entry is never unpacked here, so that no few bytes become many. */
  readonly stored: boolean;
  readonly encrypted: boolean;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** Bytes once unpacked, by the directory's word. */
  readonly unpacked: number;
  readonly crc: number;
  /** Position of its local header. */
  readonly header: number;
}

export interface Zip {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Part of an entry. One that is read from its first to its last byte in order has its CRC checked. */
  read(entry: ZipEntry, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Where its bytes begin in the file. */
  begin(entry: ZipEntry, signal?: AbortSignal): Promise<number>;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
/** End record, its longest comment, and the two zip64 records before it. */
const TAIL = 22 + 0xffff + 20 + 56;
/** 100,000 entries of 80 bytes; a directory beyond that is no checkpoint. */
const MAX_DIRECTORY = 8 << 20;
const RESAVE = "Save the file again with torch.save.";

/** Little-endian fields of a record. */
class Fields {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** What does not fit a double exactly is larger than any file and caught as such. */
  u64(at: number): number {
    return this.u32(at + 4) * 2 ** 32 + this.u32(at);
  }

  text(begin: number, end: number): string {
    return new TextDecoder().decode(this.bytes.subarray(begin, end));
  }
}

interface Directory {
  readonly begin: number;
  readonly length: number;
  readonly count: number;
  /** Where the records after the directory begin. */
  readonly end: number;
}

export async function openZip(source: ByteSource, signal?: AbortSignal): Promise<Zip> {
  const { label, size } = source;
  const fail = (expected: string, got: string | number, name?: string) => bad(label, expected, `${got}`, DAMAGED, name && quoted(name));
  const tailStart = Math.max(0, size - TAIL);
  const tail = await source.read(tailStart, size - tailStart, signal);
  const { begin: directoryBegin, length, count, end } = findDirectory(new Fields(tail), tailStart, fail);
  if (length > MAX_DIRECTORY || directoryBegin + length > end)
    throw fail(`a directory of at most ${MAX_DIRECTORY} bytes before byte ${end}`, `${length} bytes at ${directoryBegin}`);
  const inTail = directoryBegin - tailStart;
  const directory = inTail >= 0 ? tail.subarray(inTail, inTail + length) : await source.read(directoryBegin, length, signal);
  const found = parseDirectory(new Fields(directory), count, fail).sort((a, b) => a.header - b.header);
  const entries = new Map(found.map((entry) => [entry.name, entry]));
  /** Where the data of each entry must have ended. */
  const limits = new Map(found.map((entry, i) => [entry, found[i + 1]?.header ?? directoryBegin]));
  const expectRoom = (entry: ZipEntry, start: number) => {
    const limit = limits.get(entry) as number;
    if (!(start + entry.size <= limit)) throw fail(`data that ends before byte ${limit}`, `${start + entry.size} (overlap)`, entry.name);
  };
  // The local header repeats the name after its 30 bytes; what more it holds shows when it is read.
  for (const entry of found) expectRoom(entry, entry.header + 30 + nameLength(entry));
  for (const entry of found) if (entries.get(entry.name) !== entry) throw fail("there once", "it twice", entry.name);

  const starts = new Map<ZipEntry, number>();
  /** How far each entry was read from its start without a gap, and the CRC so far. */
  const checked = new Map<ZipEntry, { next: number; crc: number }>();
  const begin = async (entry: ZipEntry, signal?: AbortSignal) => {
    const known = starts.get(entry);
    if (known !== undefined) return known;
    if (entry.encrypted)
      throw bad(label, "entries without a password", "an encrypted one", "Unpack the archive with its password, or save it without one.", quoted(entry.name));
    const named = 30 + nameLength(entry);
    const header = new Fields(await source.read(entry.header, named, signal));
    if (header.u32(0) !== LOCAL || header.u16(8) !== entry.method || header.u16(26) + 30 !== named || header.text(30, named) !== entry.name) {
      throw fail(`its header at byte ${entry.header}`, "something else", entry.name);
    }
    const start = entry.header + named + header.u16(28);
    expectRoom(entry, start);
    starts.set(entry, start);
    return start;
  };
  return {
    entries,
    begin,
    async read(entry, offset, length, signal) {
      if (!entry.stored) throw bad(label, "stored entries, as PyTorch writes them", "a compressed one", RESAVE, quoted(entry.name));
      expectInside({ label: `${label}: ${quoted(entry.name)}`, size: entry.size }, offset, length);
      const bytes = await source.read((await begin(entry, signal)) + offset, length, signal);
      const sofar = offset === 0 ? { next: 0, crc: 0 } : checked.get(entry);
      if (sofar?.next === offset) {
        const crc = crc32(bytes, sofar.crc);
        checked.set(entry, { next: offset + length, crc });
        if (offset + length === entry.size && crc !== entry.crc) throw fail(`of CRC ${entry.crc}`, crc, entry.name);
      }
      return bytes;
    },
  };
}

type Fail = (expected: string, got: string | number, name?: string) => Error;

function nameLength({ name }: ZipEntry): number {
  return new TextEncoder().encode(name).length;
}

function findDirectory(tail: Fields, tailStart: number, fail: Fail): Directory {
  const { length } = tail.bytes;
  for (let at = length - 22; at >= 0; at--) {
    if (tail.u32(at) !== END || at + 22 + tail.u16(at + 20) !== length) continue;
    // Many writers give the 64-bit record always, PyTorch's among them; where it is there it counts.
    if (at < 20 || tail.u32(at - 20) !== END64_LOCATOR) {
      return { begin: tail.u32(at + 16), length: tail.u32(at + 12), count: tail.u16(at + 10), end: tailStart + at };
    }
    const at64 = tail.u64(at - 12) - tailStart;
    if (!(at64 >= 0 && at64 + 56 <= at - 20) || tail.u32(at64) !== END64) throw fail("a 64-bit end record", `none at ${at64 + tailStart}`);
    return { begin: tail.u64(at64 + 48), length: tail.u64(at64 + 40), count: tail.u64(at64 + 32), end: tailStart + at64 };
  }
  throw fail("a zip file with its directory at the end", "no end record");
}

function parseDirectory(directory: Fields, count: number, fail: Fail): ZipEntry[] {
  const { length } = directory.bytes;
  const found: ZipEntry[] = [];
  let at = 0;
  while (at + 46 <= length && directory.u32(at) === CENTRAL) {
    const extra = at + 46 + directory.u16(at + 28);
    const extraEnd = extra + directory.u16(at + 30);
    const next = extraEnd + directory.u16(at + 32);
    if (next > length) break;
    const name = directory.text(at + 46, extra);
    const wide = wideFields(directory, extra, extraEnd);
    // The 64-bit fields stand in this order, and only those whose 32-bit field is full.
    const [unpacked, size, header] = [24, 20, 42].map((offset) => {
      const value = directory.u32(at + offset);
      return value === 0xffffffff ? (wide.shift() ?? Number.NaN) : value;
    }) as [number, number, number];
    const method = directory.u16(at + 10);
    const stored = method === 0;
    const encrypted = (directory.u16(at + 8) & 1) === 1;
    if (!Number.isSafeInteger(size + header) || (stored && !encrypted && unpacked !== size))
      throw fail("one size and a position", `${size} stored as ${unpacked} at ${header}`, name);
    found.push({ name, size, stored, encrypted, method, unpacked, crc: directory.u32(at + 16), header });
    at = next;
  }
  if (found.length !== count || at !== length) throw fail(`${count} entries in ${length} bytes of directory`, `${found.length} in ${at}`);
  return found;
}

/** The values of the zip64 extra field, in order. */
function wideFields(fields: Fields, begin: number, end: number): number[] {
  for (let at = begin; at + 4 <= end; at += 4 + fields.u16(at + 2)) {
    if (fields.u16(at) !== 1) continue;
    const values: number[] = [];
    for (let i = at + 4; i + 8 <= Math.min(end, at + 4 + fields.u16(at + 2)); i += 8) values.push(fields.u64(i));
    return values;
  }
  return [];
}
