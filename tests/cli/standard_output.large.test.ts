// Standard output and descriptors as shells make them: what did not arrive is told.
import { execFile, spawn } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { useCliFile } from "./process.ts";
import { writeSmallWeights } from "./small_weights.ts";
import { useFolder } from "./support.ts";

const script = useCliFile();
const folder = useFolder();
beforeAll(() => writeSmallWeights(folder.file("small.safetensors")));

/** `$cli` and `$w` stand for the command and the weights. */
function bash(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = line.replaceAll("$cli", `"${process.execPath}" "${script()}"`).replaceAll("$w", folder.file("small.safetensors"));
  return new Promise((resolve) => {
    execFile("bash", ["-c", text], (error, stdout, stderr) => resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }));
  });
}

describe("standard output", () => {
  it.each([
    ["inspect", "$cli inspect $w > /dev/full"],
    ["inspect --json", "$cli inspect $w --json > /dev/full"],
    ["--help", "$cli --help > /dev/full"],
    ["a command's --help", "$cli segment --help > /dev/full"],
    ["--version", "$cli --version > /dev/full"],
  ])("%s on a full disk ends with 1 and says so", async (_what, line) => {
    const { code, stderr } = await bash(line);
    expect([code, stderr]).toEqual([1, "sam-med2d: cannot write to standard output: no space left on the disk\n"]);
  });

  it.each(["bash", "sh"])("that %s closed ends with 1 and says so", async (shell) => {
    const { code, stderr } = await bash(`${shell} -c '$cli inspect $w >&- < /dev/null; exit $?'`);
    expect([code, stderr]).toEqual([1, "sam-med2d: cannot write to standard output: that descriptor is not open\n"]);
  });

  it("whose reader has had enough is no fault", async () => {
    const { stdout, stderr } = await bash("set -o pipefail; $cli inspect $w --tensors | head -n 1; echo $?");
    expect([stdout.split("\n").at(-2), stderr]).toEqual(["0", ""]);
  });

  it("thrown away is no fault, by a shell or by a program that opens it as a closed one would be", async () => {
    expect((await bash("$cli inspect $w > /dev/null")).code).toBe(0);
    // As Python's subprocess.DEVNULL: /dev/null, open for reading and writing.
    const child = spawn(process.execPath, [script(), "--version"], { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (part) => {
      said += part;
    });
    expect([await new Promise((resolve) => child.on("close", resolve)), said]).toEqual([0, ""]);
  });
});

describe("descriptors", () => {
  it("of a shell's own are written in place", async () => {
    const line =
      "ln -s /dev/fd/9 out.safetensors && $cli convert $w out.safetensors 9> whole && $cli convert $w plain.safetensors && cmp whole plain.safetensors";
    expect(await bash(`cd "${folder.path}" && ${line}`)).toMatchObject({ code: 0, stdout: "" });
  });
});
