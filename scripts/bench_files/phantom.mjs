// A body with noise, as DICOM slices and as one NIfTI volume.
const SIDE = 512;

/** Int16Array of 512 × 512: a body of 40, air of -1000, a ball of 120, noise of ±16. */
export function phantomSlice(index) {
  const values = new Int16Array(SIDE * SIDE);
  let seed = index + 1;
  for (let y = 0, at = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, at++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      const body = ((x - 256) / 200) ** 2 + ((y - 256) / 150) ** 2 < 1;
      const ball = (x - 200) ** 2 + (y - 240) ** 2 + (index - 200) ** 2 < 60 ** 2;
      values[at] = (body ? (ball ? 120 : 40) : -1000) + (seed >>> 27) - 16;
    }
  }
  return values;
}

function element(group, number, vr, value) {
  const text = typeof value === "string";
  let body = text ? Buffer.from(value, "latin1") : value;
  if (body.length % 2) body = Buffer.concat([body, Buffer.from(vr === "UI" ? "\0" : " ")]);
  const long = vr === "OB" || vr === "OW";
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, "latin1");
  if (long) head.writeUInt32LE(body.length, 8);
  else head.writeUInt16LE(body.length, 6);
  return Buffer.concat([head, body]);
}

/** One fragment, after an empty table of offsets. */
function encapsulated(frame) {
  const item = (bytes) => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(bytes.length + (bytes.length % 2), 4);
    return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
  };
  const head = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  return Buffer.concat([head, item(Buffer.alloc(0)), item(frame), Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])]);
}

/** Lossless JPEG 2000 by OpenJPEG: `encode(values)` gives a code stream. */
export async function jpeg2000Encoder() {
  const { default: make } = await import("@cornerstonejs/codec-openjpeg");
  const { J2KEncoder } = await make();
  return (values) => {
    const encoder = new J2KEncoder();
    const frame = { width: SIDE, height: SIDE, bitsPerSample: 16, componentCount: 1, isSigned: true };
    encoder.getDecodedBuffer(frame).set(new Uint8Array(values.buffer));
    encoder.setQuality(true, 0);
    encoder.encode();
    const stream = Buffer.from(encoder.getEncodedBuffer());
    encoder.delete();
    return stream;
  };
}

const us = (value) => Buffer.from(Uint16Array.of(value).buffer);

/** Explicit VR Little Endian, or JPEG 2000 where a code stream is given; 1.5 mm from slice to slice. */
export function sliceFile(values, index, stream) {
  const uid = `2.25.1.${index + 1}`;
  const sop = "1.2.840.10008.5.1.4.1.1.2";
  const meta = Buffer.concat([
    element(2, 1, "OB", Buffer.from([0, 1])),
    element(2, 2, "UI", sop),
    element(2, 3, "UI", uid),
    element(2, 0x10, "UI", stream ? "1.2.840.10008.1.2.4.90" : "1.2.840.10008.1.2.1"),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(2, 0, "UL", length),
    meta,
    element(8, 0x16, "UI", sop),
    element(8, 0x18, "UI", uid),
    element(8, 0x60, "CS", "CT"),
    element(0x20, 0xd, "UI", "2.25.2"),
    element(0x20, 0xe, "UI", "2.25.3"),
    element(0x20, 0x13, "IS", String(index + 1)),
    element(0x20, 0x32, "DS", `-192\\-192\\${index * 1.5}`),
    element(0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0"),
    element(0x28, 2, "US", us(1)),
    element(0x28, 4, "CS", "MONOCHROME2"),
    element(0x28, 0x10, "US", us(SIDE)),
    element(0x28, 0x11, "US", us(SIDE)),
    element(0x28, 0x30, "DS", "0.75\\0.75"),
    element(0x28, 0x100, "US", us(16)),
    element(0x28, 0x101, "US", us(16)),
    element(0x28, 0x102, "US", us(15)),
    element(0x28, 0x103, "US", us(1)),
    stream ? encapsulated(stream) : element(0x7fe0, 0x10, "OW", Buffer.from(values.buffer)),
  ]);
}

export function niftiFile(slices) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, SIDE, SIDE, slices.length, 1, 1, 1, 1].forEach((side, i) => {
    header.writeInt16LE(side, 40 + 2 * i);
  });
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, 0.75, 0.75, 1.5].forEach((step, i) => {
    header.writeFloatLE(step, 76 + 4 * i);
  });
  header.writeFloatLE(352, 108);
  header.writeUInt8(2, 123);
  header.write("n+1\0", 344, "latin1");
  return Buffer.concat([header, ...slices.map(({ buffer }) => Buffer.from(buffer))]);
}
