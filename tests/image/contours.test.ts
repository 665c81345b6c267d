import { expect, it } from "vitest";
import { maskToContours } from "../../src/image/contours.ts";

function maskFrom(rows: readonly string[]) {
  return { data: Uint8Array.from([...rows.join("")], Number), width: rows[0]?.length ?? 0, height: rows.length };
}

/** Pixels whose middle is inside an odd number of lines. */
function filled(lines: readonly (readonly number[])[], width: number, height: number): number[] {
  const crossings = (line: readonly number[], px: number, py: number) => {
    let count = 0;
    for (let i = 0; i < line.length; i += 2) {
      const [x0, y0, x1, y1] = [0, 1, 2, 3].map((k) => line[(i + k) % line.length] as number) as [number, number, number, number];
      if (y0 > py !== y1 > py && px < x0 + ((py - y0) / (y1 - y0)) * (x1 - x0)) count++;
    }
    return count;
  };
  return Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
    return lines.reduce((sum, line) => sum + crossings(line, x, y), 0) % 2;
  });
}

/** Twice the area, above 0 where the line runs clockwise on the screen. */
const turning = (line: readonly number[]) =>
  line.reduce(
    (sum, x, i) => (i % 2 ? sum : sum + x * (line[(i + 3) % line.length] as number) - (line[(i + 2) % line.length] as number) * (line[i + 1] as number)),
    0,
  );

it("runs along the edges of pixels, clockwise, corners alone", () => {
  expect(maskToContours(maskFrom(["000", "011", "000"]))).toEqual([{ outer: [3, 1, 3, 2, 1, 2, 1, 1], holes: [] }]);
  expect(maskToContours(maskFrom(["00", "00"]))).toEqual([]);
});

it("gives holes to the part that they are in, and a part within a hole is one of its own", () => {
  const [ring, core, other, ...more] = maskToContours(maskFrom(["1111100", "1000100", "1010100", "1000101", "1111101"]));
  expect(more).toEqual([]);
  expect(ring?.holes.map((hole) => turning(hole) < 0)).toEqual([true]);
  expect([ring, core, other].map((part) => turning(part?.outer ?? []) / 2)).toEqual([25, 1, 2]);
  expect([core, other].map((part) => part?.holes)).toEqual([[], []]);
});

it("keeps pixels apart that touch at a corner, holes too", () => {
  expect(maskToContours(maskFrom(["10", "01"]))).toHaveLength(2);
  const [one, ...more] = maskToContours(maskFrom(["1111", "1011", "1101", "1111"]));
  expect([one?.holes.length, more.length]).toEqual([1, 0]);
});

it("filled is the mask again, whatever its shape", () => {
  let state = 7;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let round = 0; round < 60; round++) {
    const [width, height] = [1 + Math.floor(random() * 17), 1 + Math.floor(random() * 13)];
    const share = random();
    const data = Uint8Array.from({ length: width * height }, () => Number(random() < share));
    const contours = maskToContours({ data, width, height });
    expect(
      filled(
        contours.flatMap(({ outer, holes }) => [outer, ...holes]),
        width,
        height,
      ),
    ).toEqual([...data]);
    expect(contours.every(({ outer, holes }) => turning(outer) > 0 && holes.every((hole) => turning(hole) < 0))).toBe(true);
  }
});
