/** A NIfTI-1 file made by formula, 128×128×24 voxels of 8 bits: a body with two organs. */
export function drawnNifti() {
  const [width, height, depth] = [128, 128, 24];
  const buffer = new ArrayBuffer(352 + width * height * depth);
  const header = new DataView(buffer);
  header.setInt32(0, 348, true);
  [3, width, height, depth, 1, 1, 1, 1].forEach((value, i) => header.setInt16(40 + 2 * i, value, true));
  header.setInt16(70, 2, true); // unsigned 8 bits
  header.setInt16(72, 8, true);
  [1, 2, 2, 4, 1, 1, 1, 1].forEach((value, i) => header.setFloat32(76 + 4 * i, value, true));
  header.setFloat32(108, 352, true);
  header.setFloat32(124, 255, true); // the window: all of it
  header.setInt16(254, 1, true); // sform: RAS, 2×2×4 mm, the centre at the origin
  [[2, 0, 0, -width], [0, 2, 0, -height], [0, 0, 4, -2 * depth]].flat().forEach((value, i) => header.setFloat32(280 + 4 * i, value, true));
  [..."n+1\0"].forEach((letter, i) => header.setUint8(344 + i, letter.charCodeAt(0)));
  const voxels = new Uint8Array(buffer, 352);
  const inside = (x, y, cx, cy, rx, ry) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1;
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        voxels[(z * height + y) * width + x] = inside(x, y, 43, 64, 18, 23) ? 176 : inside(x, y, 90, 62, 12, 14) ? 216 : inside(x, y, 64, 64, 57, 44) ? 74 : 8;
  return buffer;
}
