// `hf:owner/name[@revision][/file]` → the plain address of one file at one commit of a hub of models: fetched where such an address is named.
import { SamError } from "../errors.ts";
import type { CachedFile } from "./cache.ts";
import { bad } from "./fail.ts";
import type { HttpOptions } from "./http_source.ts";

/** The public hub. */
const HUB = "https://huggingface.co";

export interface HubOptions {
  /** Address of the hub, where it is not the public one: a mirror's. */
  readonly hub?: string;
  readonly signal?: AbortSignal;
  readonly http?: HttpOptions;
  /** What is kept here of earlier downloads, for when the hub does not answer. */
  readonly kept?: () => Promise<readonly CachedFile[]>;
  readonly onNotice?: (words: string) => void;
}

export interface HubFile {
  readonly url: string;
  /** Names the version: an address with it never gives anything else. */
  readonly commit: string;
  /** The repository's files, where the hub was asked. */
  readonly files?: readonly string[];
}

interface Named {
  readonly repository: string;
  readonly revision: string;
  readonly file: string | undefined;
}

const ADDRESS = /^hf:(?:\/\/)?([\w-][\w.-]*)\/([\w-][\w.-]*)(?:@([^/]+))?(?:\/(.*[^/]))?\/?$/i;
const COMMIT = /^[0-9a-f]{40}$/;
const SHARD = /-\d{5}-of-\d{5}\./;
const OTHER_BIN = /(^|\/)(training_args\.bin|(optimizer|scheduler|scaler|rng_state)[^/]*)$/;
const ACCESS = "Check owner, name and revision. Files of a private or gated repository can be downloaded by its members and opened from disk.";

/** @throws SamError `checkpoint`: not such an address; nothing there, or not for everybody, in the hub's words; no weights, or several. */
export async function hubFile(address: string, options: HubOptions = {}): Promise<HubFile> {
  const { signal, onNotice } = options;
  const hub = (options.hub || HUB).replace(/\/+$/, "");
  const { repository, revision, file } = parsed(address);
  const at = (commit: string, name: string) => `${hub}/${repository}/resolve/${commit}/${name.split("/").map(encodeURIComponent).join("/")}`;
  // Whole already: nothing has to be asked.
  if (file !== undefined && COMMIT.test(revision)) return { url: at(revision, file), commit: revision };
  let answer: Response;
  try {
    answer = await asked(`${hub}/api/models/${repository}/revision/${encodeURIComponent(revision)}`, address, options);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SamError) throw error;
    const copy = await keptCopy(`${hub}/${repository}/resolve/`, revision, file, options);
    if (!copy)
      throw bad(
        address,
        "an answer from the hub",
        String(error instanceof Error ? error.message : error),
        "Check the connection, then try again.",
        undefined,
        error,
      );
    onNotice?.(`${new URL(hub).host} does not answer: the copy of ${repository} kept here, commit ${copy.commit.slice(0, 7)}, is used.`);
    return copy;
  }
  const about = (await answer.json().catch(() => undefined)) as { sha?: unknown; siblings?: unknown } | undefined;
  const commit = [about?.sha, answer.headers.get("x-repo-commit"), revision].find((sha): sha is string => typeof sha === "string" && COMMIT.test(sha));
  const listed = Array.isArray(about?.siblings) ? (about.siblings as { rfilename?: unknown }[]) : [];
  const files = listed.map(({ rfilename }) => rfilename).filter((name): name is string => typeof name === "string");
  if (commit === undefined) throw bad(address, "the commit of that revision", "an answer without one", "Is this the address of a hub?");
  return { url: at(commit, chosen(address, files, file)), commit, files };
}

function parsed(address: string): Named {
  const [, owner, name, revision, file] = ADDRESS.exec(address.trim()) ?? [];
  if (!owner || !name || file?.split("/").some((part) => part === ".." || part === "" || part === "."))
    throw bad(address, "hf:owner/name, hf:owner/name/file or hf:owner/name@revision/file", "another form", "As in hf:facebook/sam-vit-base.", "weights");
  try {
    return { repository: `${owner}/${name}`, revision: revision === undefined ? "main" : decodeURIComponent(revision), file };
  } catch {
    return { repository: `${owner}/${name}`, revision: revision as string, file };
  }
}

/** The one file of weights: of safetensors, whole or by its index, else of PyTorch's. */
function chosen(address: string, files: readonly string[], file: string | undefined): string {
  const safetensors = files.filter((name) => /\.safetensors(\.index\.json)?$/i.test(name) && !SHARD.test(name));
  const others = files.filter((name) => /\.(pth|pt|bin|bin\.index\.json)$/i.test(name) && !SHARD.test(name) && !OTHER_BIN.test(name));
  const all = [...safetensors, ...others];
  const list = all.length === 0 ? "no weights" : `${all.slice(0, 20).join(", ")}${all.length > 20 ? ` and ${all.length - 20} more` : ""}`;
  if (file !== undefined) {
    // Hubs that list no files are believed.
    if (files.length === 0 || files.includes(file)) return file;
    throw bad(address, "a file of the repository", `no ${file}; it has ${list}`, "Name one of them.", "weights");
  }
  const usual = ["model.safetensors", "model.safetensors.index.json"].find((name) => files.includes(name));
  const [first, ...more] = safetensors.length > 0 ? safetensors : others;
  if (usual !== undefined) return usual;
  if (first !== undefined && more.length === 0) return first;
  const name = all[0] ?? "model.safetensors";
  const remedy = all.length === 0 ? "Name another repository." : `Name the file too: ${address.replace(/\/$/, "")}/${name}.`;
  throw bad(address, "a repository with one file of weights", list, remedy, "weights");
}

/** An answer of the hub that is one; refusals are told with its own reason. */
async function asked(url: string, address: string, { signal, http }: HubOptions): Promise<Response> {
  const { attempts = 4, retryMs = 300, stallMs = 30_000 } = http ?? {};
  for (let attempt = 1; ; attempt++) {
    try {
      const late = AbortSignal.timeout(stallMs);
      const response = await fetch(url, { cache: "no-store", signal: signal ? AbortSignal.any([signal, late]) : late });
      if (response.ok) return response;
      if (response.status !== 408 && response.status !== 429 && response.status < 500)
        throw bad(address, "a repository that may be read", `${await reasonOf(response)} (HTTP ${response.status})`, ACCESS);
      throw new Error(`HTTP ${response.status}`);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof SamError || attempt >= attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMs * 2 ** (attempt - 1)));
    }
  }
}

async function reasonOf(response: Response): Promise<string> {
  const said = response.headers.get("x-error-message");
  const text = said ?? (await response.text().catch(() => ""));
  let reason = text;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") reason = error;
  } catch {
    // Words as they are; a page says nothing.
    if (/^\s*</.test(text)) reason = "";
  }
  return cleaned(reason) || (response.status === 404 ? "nothing there" : "no");
}

/** A server's words as they may stand in a message: one line, bounded. */
function cleaned(words: string): string {
  return words
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, 200);
}

/** Of that repository, what an earlier visit brought: the last whole copy. */
async function keptCopy(under: string, revision: string, file: string | undefined, { kept }: HubOptions): Promise<HubFile | undefined> {
  const files = (await kept?.().catch(() => [])) ?? [];
  const copies = files.flatMap(({ url, bytes, kept: here }): (HubFile & { readonly file: string })[] => {
    const [, commit, path] = (url.startsWith(under) && /^([0-9a-f]{40})\/(.+)$/.exec(url.slice(under.length))) || [];
    return commit && path && here === bytes ? [{ url, commit, file: decodeURIComponent(path) }] : [];
  });
  const fitting = copies.filter(
    (copy) => (file === undefined ? !SHARD.test(copy.file) : copy.file === file) && (!COMMIT.test(revision) || copy.commit === revision),
  );
  const last = fitting.at(-1);
  return last && { url: last.url, commit: last.commit };
}
