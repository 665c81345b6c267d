// A small NIfTI volume: a bright ball on gray, 1 × 1 × 2 mm, as a file.

export const BALL = { columns: 64, rows: 60, slices: 16, radius: 14 } as const;

/** Whether a voxel is of the ball. */
export function inBall(x: number, y: number, z: number): boolean {
  return Math.hypot(x - 30, y - 28, 2 * (z - 8)) < BALL.radius;
}

/** A NIfTI file of int16 without values yet: 1 × 1 × 2, placed nowhere. */
export function niftiFile(columns: number, rows: number, slices: number): Buffer {
  const file = Buffer.alloc(352 + 2 * columns * rows * slices);
  file.writeInt32LE(348, 0);
  for (const [i, value] of [3, columns, rows, slices, 1, 1, 1, 1].entries()) file.writeInt16LE(value, 40 + 2 * i);
  file.writeInt16LE(4, 70);
  file.writeInt16LE(16, 72);
  for (const [i, value] of [1, 1, 1, 2, 0, 0, 0, 0].entries()) file.writeFloatLE(value, 76 + 4 * i);
  file.writeFloatLE(352, 108);
  file.write("n+1\0", 344, "latin1");
  return file;
}

export function ballNifti(): Buffer {
  const { columns, rows, slices } = BALL;
  const file = niftiFile(columns, rows, slices);
  file.writeUInt8(2, 123);
  file.writeInt16LE(1, 254);
  for (const [i, row] of [
    [-1, 0, 0, 32],
    [0, -1, 0, 30],
    [0, 0, 2, -16],
  ].entries())
    for (const [j, value] of row.entries()) file.writeFloatLE(value, 280 + 16 * i + 4 * j);
  for (let z = 0, at = 352; z < slices; z++)
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++, at += 2) file.writeInt16LE(inBall(x, y, z) ? 160 : 40 + ((x * 7 + y * 3) % 5), at);
  return file;
}
