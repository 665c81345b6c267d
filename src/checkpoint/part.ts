// One of several files that a checkpoint is split in, by its name.

/** What to say where such a file alone is no network: `model-00002-of-00008.safetensors`. */
export function partAlone(label: string): { readonly expected: string; readonly got: string; readonly remedy: string } | undefined {
  const [, stem, part, parts, ending] = /([^,/\\]*)-(\d+)-of-(\d+)(\.\w+)$/.exec(label) ?? [];
  if (!(Number(parts) > 1) || label.includes(", ")) return undefined;
  const remedy = `Open ${stem}${ending}.index.json beside it, which names all parts, or choose all ${Number(parts)} files at once.`;
  return { expected: "a whole network", got: `part ${Number(part)} of ${Number(parts)} alone`, remedy };
}
