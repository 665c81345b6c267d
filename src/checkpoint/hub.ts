// Weights by `hf:owner/name[@revision][/file]`: opened by the plain address of their file at its commit, which is what they are kept by.
import { hubFile } from "../bytes/hub.ts";
import { listCached } from "../bytes/kept.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { OpenOptions, openCheckpoint } from "./open.ts";

/** `open` is the function of that name for plain addresses. */
export async function openFromHub(address: string, options: OpenOptions, open: typeof openCheckpoint): Promise<Checkpoint> {
  const { url, commit, files } = await hubFile(address, { kept: listCached, ...options });
  const checkpoint = await open(url, { ...options, version: commit });
  const folder =
    new URL(url).pathname
      .split("/resolve/")[1]
      ?.replace(/^[^/]+\//, "")
      .replace(/[^/]*$/, "") ?? "";
  const { openBeside } = checkpoint;
  // The hub has said which files there are: none else is asked for.
  return {
    ...checkpoint,
    ...(openBeside && { openBeside: async (file: string) => (files && !files.includes(folder + file) ? undefined : openBeside(file)) }),
  };
}
