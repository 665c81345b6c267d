// A packed library says where its sources are, and only where others can open that.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/setup_file.ts";

const { publicAddress } = (await import(/* @vite-ignore */ `${ROOT}scripts/package_address.mjs`)) as { publicAddress(origin: string): string | undefined };

describe("the public address of git's origin", () => {
  it.each([
    ["https://forge.example.org/group/project.git", "https://forge.example.org/group/project"],
    ["https://forge.example.org/group/project/", "https://forge.example.org/group/project"],
    ["https://somebody:secret@forge.example.org/group/project.git", "https://forge.example.org/group/project"],
    ["git@forge.example.org:group/project.git", "https://forge.example.org/group/project"],
    ["ssh://git@forge.example.org:2222/group/sub/project.git", "https://forge.example.org/group/sub/project"],
  ])("of %s is %s", (origin, address) => expect(publicAddress(`${origin}\n`)).toBe(address));

  it.each(["/srv/project.git", "../project", "file:///srv/project", "C:\\project", "folder.git/project", "https://localhost/a/b", "git@box.local:a/b", ""])(
    "of %j is none",
    (origin) => expect(publicAddress(origin)).toBeUndefined(),
  );
});

describe("a package", () => {
  const folder = mkdtempSync(join(tmpdir(), "sam_address_"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const call = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

  it("has repository, homepage and bugs once it is packed, and its file is as it was", () => {
    const script = `"${process.execPath}" "${ROOT}scripts/package_address.mjs"`;
    const before = JSON.stringify({ name: "packed", version: "1.0.0", scripts: { prepack: `${script} --write`, postpack: `${script} --restore` } });
    writeFileSync(join(folder, "package.json"), before);
    call("git", "init", "--quiet");
    call("git", "remote", "add", "origin", "git@forge.example.org:group/project.git");
    call("npm", "pack");
    expect(JSON.parse(call("tar", "-xzOf", "packed-1.0.0.tgz", "package/package.json"))).toMatchObject({
      repository: { type: "git", url: "git+https://forge.example.org/group/project.git" },
      homepage: "https://forge.example.org/group/project#readme",
      bugs: { url: "https://forge.example.org/group/project/issues" },
    });
    expect(readFileSync(join(folder, "package.json"), "utf8")).toBe(before);
    expect(readdirSync(folder).sort()).toEqual([".git", "package.json", "packed-1.0.0.tgz"]);
  });
});
