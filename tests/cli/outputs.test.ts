// Where outputs go: all or none, through links, into devices and pipes, and never over an input.
import { execFileSync, spawn } from "node:child_process";
import { chmod, link, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectNewFolder, writeFolder } from "../../src/cli/output_folder.ts";
import { checkDestinations, writeAll } from "../../src/cli/outputs.ts";
import { useFolder } from "./support.ts";

const folder = useFolder();
const at = (name: string) => folder.file(name);
const write = (name: string, content: string, signal?: AbortSignal) => writeAll(new Map([[name, content]]), signal);

describe("writeAll", () => {
  it("writes nothing when one file cannot be written", async () => {
    await mkdir(at("in_the_way"));
    const files = new Map([
      [at("first.txt"), "1"],
      [join(at("in_the_way"), "missing", "second.txt"), "2"],
    ]);
    await expect(writeAll(files)).rejects.toThrow(/cannot write .*second\.txt: no such file/);
    const full = new Map([
      [at("first.txt"), "1"],
      ["/dev/full", "2"],
    ]);
    await expect(writeAll(full)).rejects.toThrow("cannot write /dev/full: no space left on the disk");
    expect((await folder.names()).filter((name) => /first|tmp/.test(name))).toEqual([]);
  });

  it("writes nothing after an abort", async () => {
    await expect(write(at("first.txt"), "1", AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    expect((await folder.names()).filter((name) => /first/.test(name))).toEqual([]);
  });

  it("leaves devices what they are", async () => {
    for (const path of ["/dev/full", "/dev/null"]) {
      await write(path, "gone").catch(() => undefined);
      expect((await lstat(path)).isCharacterDevice()).toBe(true);
    }
    await symlink("/dev/null", at("link_to_null"));
    await write(at("link_to_null"), "gone");
    expect((await lstat(at("link_to_null"))).isSymbolicLink()).toBe(true);
  });

  it("gives a pipe's reader all of it, and stays interruptible without one", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const text = "x".repeat(300_000);
    const counted = spawn("sh", ["-c", `wc -c < ${at("pipe")}`]);
    const out: string[] = [];
    counted.stdout.on("data", (chunk) => out.push(String(chunk)));
    const ended = new Promise((resolve) => counted.on("close", resolve));
    await write(at("pipe"), text);
    await ended;
    expect(out.join("").trim()).toBe("300000");
    expect((await lstat(at("pipe"))).isFIFO()).toBe(true);
    const controller = new AbortController();
    const waiting = write(at("pipe"), "nobody", controller.signal);
    controller.abort(new Error("stop"));
    await expect(waiting).rejects.toThrow("stop");
  });

  it("follows links, also ones that lead nowhere yet, and keeps the mode of what it replaces", async () => {
    await writeFile(at("real.txt"), "before");
    await chmod(at("real.txt"), 0o640);
    await symlink("real.txt", at("link.txt"));
    await symlink(join("in_the_way", "..", "later.txt"), at("dangling.txt"));
    await write(at("link.txt"), "after");
    await write(at("dangling.txt"), "made");
    expect((await lstat(at("link.txt"))).isSymbolicLink()).toBe(true);
    expect([await readFile(at("real.txt"), "utf8"), (await stat(at("real.txt"))).mode & 0o777]).toEqual(["after", 0o640]);
    expect(await readFile(at("later.txt"), "utf8")).toBe("made");
    await symlink("circle.txt", at("circle.txt"));
    await expect(write(at("circle.txt"), "never")).rejects.toThrow(/its links lead in a circle/);
  });
});

describe("checkDestinations", () => {
  it("sees through other spellings, links and hard links of one file", async () => {
    const scan = at("scan.png");
    await writeFile(scan, "pixels");
    await symlink(scan, at("soft.png"));
    await link(scan, at("hard.png"));
    for (const name of [join(folder.path, ".", "in_the_way", "..", "scan.png"), at("soft.png"), at("hard.png")]) {
      await expect(checkDestinations({ "--out": name }, [scan])).rejects.toThrow(/--out .* is also an input/);
    }
    await expect(checkDestinations({ "--out": at("new.png"), "--overlay": join(at("in_the_way"), "..", "new.png") }, [])).rejects.toThrow(/is also --out/);
    await checkDestinations({ "--out": "/dev/null", "--overlay": "/dev/null" }, []);
  });

  it.each([
    ["-", /--out -: .*standard output.*\.\/-/],
    ["@new/", /--out .*new\/ is the name of a folder: name a file in it/],
    ["@new/.", /is the name of a folder/],
    ["/dev/fd/987654", /descriptor 987654 is not open for writing/],
  ])("refuses %s as a name", async (name, words) => {
    await expect(checkDestinations({ "--out": name.replace("@", `${folder.path}/`) }, [])).rejects.toThrow(words);
  });
});

describe("writeFolder", () => {
  async function* files() {
    yield { path: "masks/a.png", data: new Uint8Array(3) };
  }

  it("fills an empty folder that is there, through a link too, and makes what a link leads to", async () => {
    await mkdir(at("empty"));
    await symlink("empty", at("to_empty"));
    await symlink("made", at("to_made"));
    const before = (await stat(at("empty"))).ino;
    for (const [out, real] of [
      ["to_empty", "empty"],
      ["to_made", "made"],
    ] as const) {
      await expectNewFolder(at(out));
      expect(await writeFolder(at(out), files(), new AbortController().signal)).toEqual(["masks/a.png"]);
      expect([(await lstat(at(out))).isSymbolicLink(), await readdir(at(real))]).toEqual([true, ["masks"]]);
    }
    expect((await stat(at("empty"))).ino).toBe(before);
    await expect(expectNewFolder(at("to_empty"))).rejects.toThrow(/has files in it/);
  });

  it("leaves alone what was put there meanwhile", async () => {
    await mkdir(at("taken"));
    async function* slow() {
      yield* files();
      await writeFile(join(at("taken"), "mine.txt"), "mine");
    }
    await expect(writeFolder(at("taken"), slow(), new AbortController().signal)).rejects.toThrow(/was empty and now has mine\.txt in it/);
    expect(await readdir(at("taken"))).toEqual(["mine.txt"]);
  });
});
