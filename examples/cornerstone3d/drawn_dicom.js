/** CT slices made by formula as DICOM files, `side` pixels a side, 16 bits: a body with two organs that change from slice to slice. */
export function drawnSeries(slices, side) {
  return Array.from({ length: slices }, (_, slice) => new File([drawnSlice(slice, slices, side)], `slice_${slice}.dcm`, { type: "application/dicom" }));
}

const UID = "1.2.826.0.1.3680043.10.1338.1";
const CT = "1.2.840.10008.5.1.4.1.1.2";

function drawnSlice(slice, slices, side) {
  const meta = [
    [0x0002, 0x0002, "UI", CT],
    [0x0002, 0x0003, "UI", `${UID}.3.${slice + 1}`],
    [0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1"],
  ].map(element);
  const data = [
    [0x0008, 0x0016, "UI", CT],
    [0x0008, 0x0018, "UI", `${UID}.3.${slice + 1}`],
    [0x0008, 0x0060, "CS", "CT"],
    [0x0020, 0x000d, "UI", `${UID}.1`],
    [0x0020, 0x000e, "UI", `${UID}.2`],
    [0x0020, 0x0013, "IS", `${slice + 1}`],
    [0x0020, 0x0032, "DS", `${-side}\\${-side}\\${4 * slice}`],
    [0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"],
    [0x0020, 0x0052, "UI", `${UID}.4`],
    [0x0028, 0x0002, "US", 1],
    [0x0028, 0x0004, "CS", "MONOCHROME2"],
    [0x0028, 0x0010, "US", side],
    [0x0028, 0x0011, "US", side],
    [0x0028, 0x0030, "DS", "2\\2"],
    [0x0028, 0x0100, "US", 16],
    [0x0028, 0x0101, "US", 16],
    [0x0028, 0x0102, "US", 15],
    [0x0028, 0x0103, "US", 0],
    [0x0028, 0x1050, "DS", "40"],
    [0x0028, 0x1051, "DS", "400"],
    [0x0028, 0x1052, "DS", "-1024"],
    [0x0028, 0x1053, "DS", "1"],
    [0x7fe0, 0x0010, "OW", drawnPixels(slice / Math.max(1, slices - 1), side)],
  ].map(element);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, meta.reduce((sum, bytes) => sum + bytes.length, 0), true);
  const head = element([0x0002, 0x0000, "UL", new Uint8Array(length.buffer)]);
  return new Blob([new Uint8Array(128), "DICM", head, ...meta, ...data]);
}

/** One element, explicit little endian, padded to even length. */
function element([group, number, vr, value]) {
  let bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (typeof value === "number") bytes = Uint8Array.of(value & 255, value >> 8);
  const long = vr === "OW";
  const even = bytes.length + (bytes.length % 2);
  const out = new Uint8Array((long ? 12 : 8) + even).fill(vr === "UI" ? 0 : 32, (long ? 12 : 8) + bytes.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, group, true);
  view.setUint16(2, number, true);
  out.set(new TextEncoder().encode(vr), 4);
  if (long) view.setUint32(8, even, true);
  else view.setUint16(6, even, true);
  out.set(bytes, long ? 12 : 8);
  return out;
}

/** Stored values: Hounsfield units + 1024. */
function drawnPixels(depth, side) {
  const values = new Uint16Array(side * side);
  const inside = (x, y, cx, cy, rx, ry) => ((x / side - cx) / rx) ** 2 + ((y / side - cy) / ry) ** 2 < 1;
  const size = 0.75 + 0.5 * Math.sin(Math.PI * depth);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const organ = inside(x, y, 0.34, 0.49, 0.11 * size, 0.14 * size) ? 140 : inside(x, y, 0.7, 0.52, 0.07 * size, 0.09 * size) ? 200 : undefined;
      values[y * side + x] = 1024 + (organ ?? (inside(x, y, 0.5, 0.5, 0.44, 0.34) ? -20 : -1000));
    }
  return new Uint8Array(values.buffer);
}
