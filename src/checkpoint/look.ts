// What a file without weights is called, and what to do: fetched when there is one.
import { quoted, RESAVE } from "../bytes/fail.ts";
import { kindOf, nameOfKind } from "../bytes/sniff.ts";
import { PICKLED } from "./remedies.ts";

const CHOOSE = "Choose the file with the weights (.pth or .safetensors).";
const REMEDIES: Readonly<Record<string, string>> = {
  gzip: "Unpack it first.",
  packed: "Unpack it first.",
  html: "The address leads to a page, not to the file: use the download link itself, or hf:owner/name for a repository of Hugging Face.",
  lfs: "Fetch the file itself with: git lfs pull",
  pickle: RESAVE,
  "plain-pickle": PICKLED,
  tar: `Unpack it where it holds the file with the weights. ${RESAVE}`,
};

export interface Look {
  /** What it looks like, for a message. */
  readonly seen: string;
  readonly remedy: string;
}

/** `head` is up to 512 bytes of the start. */
export function lookAt(head: Uint8Array): Look {
  if (head.length === 0) return { seen: "an empty file", remedy: "Fetch the file again." };
  const kind = kindOf(head)?.id;
  // What a server answers in place of a file is short: "Entry not found".
  const [line = ""] =
    kind === "text"
      ? new TextDecoder()
          .decode(head)
          .trim()
          .split(/[\r\n]/, 1)
      : [];
  const seen = nameOfKind(head) + (line && `: ${quoted(line)}`);
  return { seen, remedy: REMEDIES[kind ?? ""] ?? CHOOSE };
}
