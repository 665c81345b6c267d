// Opening files on the page, piece by piece: folders walked, compressed pixels decoded in as many workers as there is room for.
import { describe, expect, it } from "vitest";
import { codecPool } from "../../app/open/codec_pool.ts";
import type { ToWorker } from "../../app/open/codec_worker.ts";
import { serverOf } from "../../app/open/dicomweb.ts";
import { filesOf } from "../../app/open/folder.ts";

const DECODED = { data: new Uint8Array(1), rows: 1, columns: 1, samples: 1 };

/** Workers that answer when the test says so. */
class FakeWorker extends EventTarget {
  readonly messages: ToWorker[] = [];
  ended = false;
  postMessage(message: ToWorker): void {
    this.messages.push(message);
  }
  terminate(): void {
    this.ended = true;
  }
  answer(more: object): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: { id: this.messages.at(-1)?.id, ...more } }));
  }
}

function fakes() {
  const workers: FakeWorker[] = [];
  const make = () => {
    workers.push(new FakeWorker());
    return workers.at(-1) as unknown as Worker;
  };
  return { workers, make };
}

describe("decoders", () => {
  it("are workers made when there is work, each with a frame at a time", async () => {
    const { workers, make } = fakes();
    const pool = codecPool(2, make);
    expect(workers).toHaveLength(0);
    const frames = [1, 2, 3].map((byte) => pool.decode("jpeg", Uint8Array.of(byte)));
    expect(workers.map(({ messages }) => messages.map(({ bytes }) => bytes[0]))).toEqual([[1], [2]]);
    workers[1]?.answer({ decoded: DECODED });
    expect(await frames[1]).toEqual(DECODED);
    expect(workers[1]?.messages.map(({ bytes }) => bytes[0])).toEqual([2, 3]);
    workers[1]?.answer({ error: "damaged" });
    await expect(frames[2]).rejects.toThrow("damaged");
    workers[0]?.answer({ decoded: DECODED });
    await frames[0];
    pool.close();
    expect(workers.map(({ ended }) => ended)).toEqual([true, true]);
  });

  it("drop frames that are wanted no more, and go on where a worker ends", async () => {
    const { workers, make } = fakes();
    const pool = codecPool(1, make);
    const controller = new AbortController();
    const first = pool.decode("jpeg", Uint8Array.of(1));
    const dropped = pool.decode("jpeg", Uint8Array.of(2), controller.signal);
    const last = pool.decode("jpeg", Uint8Array.of(3));
    controller.abort(new Error("enough"));
    workers[0]?.dispatchEvent(Object.assign(new Event("error"), { message: "out of memory" }));
    await expect(first).rejects.toThrow("out of memory");
    await expect(dropped).rejects.toThrow("enough");
    expect(workers[1]?.messages.map(({ bytes }) => bytes[0])).toEqual([3]);
    workers[1]?.answer({ decoded: DECODED });
    await last;
  });
});

/** As browsers give dropped folders: a hundred entries at a time, here two. */
function folder(name: string, children: readonly object[], path = `/${name}`) {
  return {
    isDirectory: true,
    fullPath: path,
    createReader: () => {
      const left = [...children];
      return { readEntries: (done: (entries: object[]) => void) => done(left.splice(0, 2)) };
    },
  };
}
const entry = (path: string) => ({
  isDirectory: false,
  fullPath: path,
  file: (done: (file: File) => void) => done(new File(["x"], path.slice(path.lastIndexOf("/") + 1))),
});
const item = (of: object | null, file: File | null = null) => ({ kind: "file", webkitGetAsEntry: () => of, getAsFile: () => file });

describe("what was dropped", () => {
  it("is every file of its folders, with its path, beside the files themselves", async () => {
    const inner = folder("b", ["/a/b/4", "/a/b/5"].map(entry), "/a/b");
    const whole = folder("a", [entry("/a/1"), entry("/a/2"), entry("/a/3"), inner]);
    const loose = new File(["y"], "loose.nii");
    const text = { kind: "string", webkitGetAsEntry: () => null, getAsFile: () => null };
    const files = await filesOf({ items: [item(whole), item(entry("/loose.nii"), loose), text], files: [] } as unknown as DataTransfer);
    expect(files.map(({ name, webkitRelativePath }) => webkitRelativePath || name)).toEqual(["a/1", "a/2", "a/3", "a/b/4", "a/b/5", "loose.nii"]);
    expect(await filesOf({ items: [], files: [loose] } as unknown as DataTransfer)).toEqual([loose]);
  });
});

describe("the page's address", () => {
  it("names a server, its study and its series", () => {
    expect(serverOf("")).toBeUndefined();
    expect(serverOf("?dicomweb=https://pacs.example/dicom-web&study=1.2&series=1.3")).toEqual({
      url: "https://pacs.example/dicom-web",
      study: "1.2",
      series: "1.3",
    });
    expect(serverOf("?dicomweb=https://pacs.example&series=1.3")).toEqual({ url: "https://pacs.example" });
  });
});
