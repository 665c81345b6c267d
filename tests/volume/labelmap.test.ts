import { describe, expect, it } from "vitest";
import { type Label, Labelmap } from "../../src/volume/labelmap.ts";
import { connectedParts, dropIslands, fillHoles, keepLargest } from "../../src/volume/parts.ts";
import { boundsOf, difference, intersection, NO_RUNS, paintRuns, pixelCount, rowRuns, runsOf, union } from "../../src/volume/runs.ts";

const label = (id: number, more: Partial<Label> = {}): Label => ({ id, name: `L${id}`, color: [255, 0, 0], ...more });
const picture = (...lines: string[]) => Uint8Array.from(lines.join(""), (letter) => (letter === "." ? 0 : 1));

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("runs", () => {
  it("are what masks are, under every operation", () => {
    const next = random(3);
    for (let n = 0; n < 200; n++) {
      const [p, q] = [next(), next()];
      const a = Uint8Array.from({ length: 91 }, () => (next() < p ? 1 : 0));
      const b = Uint8Array.from({ length: 91 }, () => (next() < q ? 1 : 0));
      const [ra, rb] = [runsOf(a), runsOf(b)];
      expect(paintRuns(ra, new Uint8Array(91))).toEqual(a);
      expect(pixelCount(ra)).toBe(a.reduce((sum, value) => sum + value, 0));
      expect(union(ra, rb)).toEqual(runsOf(a.map((value, i) => value | (b[i] as number))));
      expect(intersection(ra, rb)).toEqual(runsOf(a.map((value, i) => value & (b[i] as number))));
      expect(difference(ra, rb)).toEqual(runsOf(a.map((value, i) => value & (1 - (b[i] as number)))));
      const cut = [...rowRuns(ra, 13)].flatMap(([row, begin, end]) => Array.from({ length: end - begin }, (_, i) => row * 13 + begin + i));
      expect(cut).toEqual([...a.keys()].filter((i) => a[i]));
      const xs = cut.map((i) => i % 13);
      const ys = cut.map((i) => Math.floor(i / 13));
      expect(boundsOf(ra, 13)).toEqual(cut.length ? [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1] : null);
    }
  });
});

describe("parts", () => {
  const runs = runsOf(picture("##....", ".##...", "...#..", "#....#", "#...##"));
  it("tells neighbours by edges from those by corners", () => {
    expect(connectedParts(runs, 6).map(pixelCount)).toEqual([4, 3, 2, 1]);
    expect(connectedParts(runs, 6, true).map(pixelCount)).toEqual([5, 3, 2]);
    expect(pixelCount(keepLargest(runs, 6))).toBe(5);
    expect(pixelCount(dropIslands(runs, 6, 3))).toBe(8);
    expect(keepLargest(NO_RUNS, 6)).toEqual(NO_RUNS);
  });

  it("agrees with a flood fill on random pictures", () => {
    const next = random(9);
    for (let n = 0; n < 100; n++) {
      const mask = Uint8Array.from({ length: 17 * 11 }, () => (next() < 0.55 ? 1 : 0));
      for (const corners of [false, true]) {
        const parts = connectedParts(runsOf(mask), 17, corners);
        expect(parts.map(pixelCount)).toEqual(flooded(mask, 17, corners));
        expect(parts.reduce(union, NO_RUNS)).toEqual(runsOf(mask));
      }
    }
  });

  it("fills holes, not bays", () => {
    const ring = runsOf(picture(".####.", ".#..#.", ".####.", "##..##", "#....#"));
    expect(fillHoles(ring, 6, 5)).toEqual(runsOf(picture(".####.", ".####.", ".####.", "##..##", "#....#")));
  });
});

function flooded(mask: Uint8Array, columns: number, corners: boolean): number[] {
  const left = mask.slice();
  const sizes: number[] = [];
  for (let start = 0; start < left.length; start++) {
    if (!left[start]) continue;
    let size = 0;
    const stack = [start];
    left[start] = 0;
    while (stack.length) {
      const at = stack.pop() as number;
      size++;
      const [x, y] = [at % columns, Math.floor(at / columns)];
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          if (!corners && dx && dy) continue;
          const to = (y + dy) * columns + x + dx;
          if (x + dx < 0 || x + dx >= columns || !left[to]) continue;
          left[to] = 0;
          stack.push(to);
        }
      }
    }
    sizes.push(size);
  }
  return sizes.sort((a, b) => b - a);
}

describe("labelmap", () => {
  it("replaces, keeps or allows where labels meet, and leaves locked ones alone", () => {
    const drawn = () => {
      const map = new Labelmap(4, 2, 3, [label(1), label(2), label(3, { locked: true })]);
      map.draw(1, 1, picture("##..", "...."));
      return map;
    };
    const over = picture(".##.", "....");
    const replaced = drawn();
    replaced.draw(2, 1, over, "replace");
    expect([...replaced.values(1)]).toEqual([1, 2, 2, 0, 0, 0, 0, 0]);
    const kept = drawn();
    kept.draw(2, 1, over, "keep");
    expect([...kept.values(1)]).toEqual([1, 1, 2, 0, 0, 0, 0, 0]);
    const both = drawn();
    both.draw(2, 1, over, "allow");
    expect(both.overlapping(1)).toEqual([1, 2]);
    expect(() => both.values(1)).toThrow(/L1 and L2/);
    expect(drawn().draw(3, 1, over)).toEqual([]);
    const locked = drawn();
    locked.setLabel(label(1, { locked: true }));
    locked.draw(2, 1, over, "replace");
    expect([...locked.values(1)]).toEqual([1, 1, 2, 0, 0, 0, 0, 0]);
  });

  it("takes changes back and does them again", () => {
    const map = new Labelmap(4, 2, 3, [label(1), label(2)]);
    map.draw(1, 0, picture("####", "...."));
    const before = map.values(0);
    const changes = map.draw(2, 0, picture(".##.", ".##."));
    const after = map.values(0);
    expect(changes.map(({ label: id }) => id)).toEqual([1, 2]);
    map.revert(changes);
    expect(map.values(0)).toEqual(before);
    map.apply(changes);
    expect(map.values(0)).toEqual(after);
    expect(map.draw(2, 0, picture(".##.", ".##."))).toEqual([]);
    const gone = map.removeLabel(2);
    expect(map.drawnSlices(2)).toEqual([]);
    map.revert(gone);
    expect(map.voxels(2)).toBe(4);
  });

  it("keeps 400 slices of 512 × 512 with five organs below 20 MB", () => {
    const map = new Labelmap(
      512,
      512,
      400,
      [1, 2, 3, 4, 5].map((id) => label(id)),
    );
    for (let k = 0; k < 400; k++) {
      for (let id = 1; id <= 5; id++) {
        const runs: number[] = [];
        // A disc of 200 pixels across, its edge frayed: two runs a row.
        for (let y = -100; y <= 100; y++) {
          const half = Math.round(Math.sqrt(10_000 - y * y)) - ((y + k) % 3);
          if (half < 2) continue;
          const middle = (y + 20 * id + 150) * 512 + 250;
          runs.push(middle - half, middle - 1, middle, middle + half);
        }
        map.draw(id, k, Uint32Array.from(runs), "allow");
      }
    }
    console.log(`400 slices, 5 labels: ${(map.bytes / 1e6).toFixed(1)} MB of runs`);
    expect(map.bytes).toBeLessThan(20e6);
  });

  it("refuses what does not fit, in words", () => {
    const map = new Labelmap(4, 2, 3, [label(1)]);
    expect(() => map.draw(2, 0, NO_RUNS)).toThrow(/one of 1, got 2/);
    expect(() => map.draw(1, 3, NO_RUNS)).toThrow(/slice from 0 to 2, got 3/);
    expect(() => map.draw(1, 0, new Uint8Array(5))).toThrow(/8 pixels \(4×2\), got 5/);
    expect(() => map.setLabel(label(0))).toThrow(/1 to 65535/);
    expect(() => new Labelmap(0, 2, 3)).toThrow(/0×2×3/);
  });
});
