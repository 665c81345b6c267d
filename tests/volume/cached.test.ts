import { describe, expect, it } from "vitest";
import { SliceCache } from "../../src/volume/cached.ts";
import type { Slice } from "../../src/volume/volume.ts";
import { until } from "../support/until.ts";
import { plainVolume } from "./plain_volume.ts";

const BYTES = 100;

/** A volume of 20 slices of 100 bytes that says what was read of it; slice 13 is damaged. */
function counted(hold?: Promise<void>) {
  const reads: number[] = [];
  const aborted: number[] = [];
  const volume = plainVolume({
    columns: 10,
    rows: 10,
    slices: 20,
    async slice(index, { signal } = {}): Promise<Slice> {
      reads.push(index);
      signal?.addEventListener("abort", () => aborted.push(index));
      await hold;
      if (index === 13) throw new Error("slice 13 is damaged");
      return { data: new Uint8Array(BYTES).fill(index), rows: 10, columns: 10, samples: 1 };
    },
  });
  return { volume, reads, aborted };
}

describe("SliceCache", () => {
  it("keeps what was looked at last, within its bytes", async () => {
    const { volume, reads } = counted();
    const cache = new SliceCache({ bytes: 3 * BYTES, ahead: 0 });
    const kept = cache.of(volume);
    for (const index of [0, 5, 9, 0, 15, 0, 5]) expect((await kept.slice(index)).data[0]).toBe(index);
    // 5 was looked at before 0 and 9: it had to give way.
    expect(reads).toEqual([0, 5, 9, 15, 5]);
    expect(cache.bytes).toBe(3 * BYTES);
    cache.clear();
    expect(cache.bytes).toBe(0);
  });

  it("reads a slice once however many ask for it, and tells volumes apart", async () => {
    const [one, two] = [counted(), counted()];
    const cache = new SliceCache();
    const [first, second] = [cache.of(one.volume), cache.of(two.volume)];
    await Promise.all([first.slice(3), first.slice(3), second.slice(3)]);
    expect([one.reads, two.reads]).toEqual([[3], [3]]);
  });

  it("reads ahead the way one scrolls, and stops at the end and where one turns", async () => {
    const { volume, reads } = counted();
    const kept = new SliceCache({ ahead: 4 }).of(volume);
    await kept.slice(10);
    expect(reads).toEqual([10]);
    await kept.slice(9);
    await until(() => expect(reads).toEqual([10, 9, 8, 7, 6, 5]));
    await kept.slice(1);
    await kept.slice(0);
    await kept.slice(17);
    await kept.slice(18);
    await until(() => expect(reads).toEqual([10, 9, 8, 7, 6, 5, 1, 0, 17, 18, 19]));
  });

  it("tells a slice that cannot be read to who looks at it, each time", async () => {
    const { volume, reads } = counted();
    const kept = new SliceCache({ ahead: 2 }).of(volume);
    await kept.slice(11);
    await kept.slice(12);
    await until(() => expect(reads).toContain(14));
    await expect(kept.slice(13)).rejects.toThrow("damaged");
    await expect(kept.slice(13)).rejects.toThrow("damaged");
  });

  it("gives up a slice that nobody waits for any more, and no other", async () => {
    let release = () => {};
    const hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { volume, reads, aborted } = counted(hold);
    const kept = new SliceCache().of(volume);
    const [one, both] = [new AbortController(), new AbortController()];
    const given = kept.slice(2, { signal: one.signal });
    const shared = [kept.slice(4, { signal: both.signal }), kept.slice(4)];
    for (const controller of [one, both]) controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    await expect(shared[0]).rejects.toThrow("enough");
    expect(aborted).toEqual([2]);
    release();
    expect((await shared[1])?.data[0]).toBe(4);
    await kept.slice(2);
    expect(reads).toEqual([2, 4, 2]);
  });
});
