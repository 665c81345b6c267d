// Around npm pack and npm publish (prepack, postpack): package.json says where its sources are (repository, homepage, bugs), read from where git's origin is,
// and is afterwards as it was. An origin that nobody else can open (a folder, a machine of one's own) is left out.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { isMain, Problem, run, runMain, say } from "./tools.mjs";

/** The address of `origin` on a public host, without user or password; undefined where there is none. */
export function publicAddress(origin) {
  const [, host, path] =
    /^(?:https?:\/\/|ssh:\/\/|git:\/\/)?(?:[^@/]*@)?([\w.-]+\.[a-z]{2,})(?::\d+)?[:/]+([\w./~-]+?)(?:\.git)?\/?$/i.exec(origin.trim()) ?? [];
  // A relative path looks like a host's where it is written without a protocol: those have one, or a user.
  if (!host || !path.includes("/") || !/:\/\/|@/.test(origin) || /\.(local|localdomain|internal|lan|test|invalid|localhost)$/i.test(host)) return undefined;
  return `https://${host.toLowerCase()}/${path}`;
}

/** What a package at `address` says of itself. */
export function fieldsOf(address) {
  return { repository: { type: "git", url: `git+${address}.git` }, homepage: `${address}#readme`, bugs: { url: `${address}/issues` } };
}

async function main() {
  const [file, kept] = ["package.json", ".package.json.before-packing"].map((name) => resolve(name));
  if (process.argv.includes("--restore")) {
    if (existsSync(kept)) renameSync(kept, file);
    return;
  }
  if (!process.argv.includes("--write")) throw new Problem("--write before packing, --restore after it");
  // What an interrupted packing left.
  if (existsSync(kept)) renameSync(kept, file);
  const { code, output } = await run("git", ["remote", "get-url", "origin"], { cwd: process.cwd() });
  const address = code === 0 ? publicAddress(output) : undefined;
  const text = readFileSync(file, "utf8");
  if (!address || JSON.parse(text).repository) return;
  writeFileSync(kept, text);
  writeFileSync(file, `${JSON.stringify({ ...JSON.parse(text), ...fieldsOf(address) }, undefined, 2)}\n`);
  say(`Packed with the address ${address}`);
}

if (isMain(import.meta)) await runMain(main);
