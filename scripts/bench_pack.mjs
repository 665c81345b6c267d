// npm run bench:pack: one folder that runs the bench on a bare Linux machine with a GPU, nothing to install or fetch.
// --out FOLDER (default .cache/bench_pack), --no-build takes dist/cli.js as it is.
import {
  chmodSync,
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createGzip } from "node:zlib";
import { build } from "./build.mjs";
import { CACHE, isMain, Problem, ROOT, runMain, say } from "./tools.mjs";

const LIMIT = 60e6;
/** Where Linux distributions keep the Vulkan loader: a few hundred kB that a container with a GPU often lacks. */
const LOADERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"].map((folder) => join(folder, "libvulkan.so.1"));

const RUN = `#!/bin/sh
# Unpacks once, beside itself or in a temporary folder, and runs the bench. Options are those of "sam-med2d bench".
# --pytorch also times the reference network in PyTorch on the same GPU (needs python3 with torch).
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
pytorch=""
runs=50
out="$here"
[ -w "$here" ] || out="\${TMPDIR:-/tmp}"
json="$out/bench.json"
config=vit_b
before=""
for argument in "$@"; do
  case "$before" in
    --runs) runs=$argument ;;
    --config) config=$argument ;;
    --json) json=$argument ;;
  esac
  before=$argument
done
given=$#
while [ "$given" -gt 0 ]; do
  argument=$1
  shift
  given=$((given - 1))
  if [ "$argument" = --pytorch ]; then pytorch=yes; else set -- "$@" "$argument"; fi
done
case " $* " in *" --runs "*) ;; *) set -- "$@" --runs "$runs" ;; esac
case " $* " in *" --json "*) ;; *) set -- "$@" --json "$json" ;; esac

work="$out/unpacked"
if [ ! -x "$work/node" ] || [ ! -f "$work/node_modules/webgpu/done" ]; then
  mkdir -p "$work"
  cp -R "$here/app/." "$work/"
  gzip -dc "$here/node.gz" > "$work/node.new"
  chmod +x "$work/node.new"
  mv "$work/node.new" "$work/node"
  folder=$(cat "$here/dawn.folder")
  mkdir -p "$work/node_modules/webgpu/dist/$folder"
  gzip -dc "$here/dawn.node.gz" > "$work/node_modules/webgpu/dist/$folder/dawn.node"
  : > "$work/node_modules/webgpu/done"
fi

# A container may have the GPU's driver without the loader that Dawn looks for, or keep its description elsewhere.
if [ -f "$here/lib/libvulkan.so.1" ] && ! ldconfig -p 2>/dev/null | grep -q 'libvulkan\\.so\\.1'; then
  LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
fi
if [ -z "\${VK_DRIVER_FILES:-}" ] && ! ls /usr/share/vulkan/icd.d/nvidia_icd*.json /etc/vulkan/icd.d/nvidia_icd*.json >/dev/null 2>&1; then
  for description in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /usr/local/share/vulkan/icd.d/nvidia_icd.json; do
    if [ -f "$description" ]; then
      VK_DRIVER_FILES=$description
      export VK_DRIVER_FILES
    fi
  done
fi

code=0
"$work/node" "$work/cli.js" bench "$@" || code=$?
if [ -n "$pytorch" ]; then
  python3 "$here/pytorch/pytorch_bench.py" --reference "$here/pytorch/reference" --runs "$runs" --config "$config" --ours "$json" --json "$out/pytorch.json" || code=$?
fi
exit "$code"
`;

const README = `Runs the bench of sam-med2d-webgpu on this machine's GPU: ./run

Needs Linux, gzip and a Vulkan driver; nothing is installed or fetched. ./run --help lists the options.
Writes bench.json beside this file (or in the temporary folder when this one is read-only); open it on the bench page.
./run --pytorch then times the reference network in PyTorch on the same GPU, eager f32 and compiled f16 (torch 2 or newer), and writes
both and the ratios to the bench's run into pytorch.json. Add --precision f32,f16 to have both of ours beside them.
`;

/** Bytes of everything below. */
function size(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function compress(from, to, level) {
  await pipeline(createReadStream(from), createGzip({ level }), createWriteStream(to));
}

/** `cli` is the bundled command line, `level` gzip's. */
export async function pack(out, { cli = join(ROOT, "dist/cli.js"), level = 9 } = {}) {
  if (process.platform !== "linux") throw new Problem("The pack holds this machine's own Node and Dawn, for Linux: make it on Linux.");
  if (!existsSync(cli)) throw new Problem("dist/cli.js is missing. Run: npm run build");
  const folder = `linux-${process.arch}`;
  const dawn = join(ROOT, "node_modules/webgpu");
  const library = join(dawn, "dist", folder, "dawn.node");
  if (!existsSync(library)) throw new Problem(`Dawn for ${folder} is missing from node_modules/webgpu. Run: npm run setup`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "app/node_modules/webgpu"), { recursive: true });
  cpSync(cli, join(out, "app/cli.js"));
  writeFileSync(join(out, "app/package.json"), '{ "type": "module" }\n');
  for (const name of ["index.js", "package.json", "LICENSE"]) {
    if (existsSync(join(dawn, name))) cpSync(join(dawn, name), join(out, "app/node_modules/webgpu", name));
  }
  // The package loads dist/<this folder>/dawn.node.
  writeFileSync(join(out, "dawn.folder"), `${folder}\n`);
  await Promise.all([compress(process.execPath, join(out, "node.gz"), level), compress(library, join(out, "dawn.node.gz"), level)]);
  const loader = LOADERS.find((path) => existsSync(path));
  if (loader) {
    mkdirSync(join(out, "lib"));
    cpSync(realpathSync(loader), join(out, "lib/libvulkan.so.1"));
  }
  mkdirSync(join(out, "pytorch/reference"), { recursive: true });
  cpSync(join(ROOT, "bench/pytorch_bench.py"), join(out, "pytorch/pytorch_bench.py"));
  for (const name of readdirSync(join(ROOT, "tests/reference")).filter((name) => name.endsWith(".py"))) {
    cpSync(join(ROOT, "tests/reference", name), join(out, "pytorch/reference", name));
  }
  writeFileSync(join(out, "run"), RUN);
  chmodSync(join(out, "run"), 0o755);
  writeFileSync(join(out, "README.txt"), README);
  const bytes = size(out);
  if (bytes > LIMIT) throw new Problem(`${out} has ${(bytes / 1e6).toFixed(1)} MB; at most ${LIMIT / 1e6} may travel.`);
  return { bytes, loader: loader !== undefined };
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(CACHE, "bench_pack") }, "no-build": { type: "boolean", default: false } } });
  if (!values["no-build"]) await build();
  const out = resolve(values.out);
  const { bytes, loader } = await pack(out);
  say(`${out}: ${(bytes / 1e6).toFixed(1)} MB. Copy it to a Linux machine with a GPU and start ./run there.`);
  if (!loader) say("No Vulkan loader was found here to take along: the machine needs its own (libvulkan.so.1).");
}

if (isMain(import.meta)) await runMain(main);
