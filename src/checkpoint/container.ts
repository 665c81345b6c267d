// How a checkpoint is packed, by its first bytes.

export type Container = "safetensors" | "zip" | "index";

/** `head` is up to 512 bytes of the start; undefined for what holds no weights that are read. */
export function containerOf(head: Uint8Array): Container | undefined {
  const starts = (at: number, ...bytes: number[]) => bytes.every((byte, i) => head[at + i] === byte);
  if (starts(0, 0x50, 0x4b, 3, 4)) return "zip";
  // A length below 2^40 and the header's first brace.
  if (starts(5, 0, 0, 0, 0x7b)) return "safetensors";
  return /^\s*\{/.test(new TextDecoder().decode(head)) ? "index" : undefined;
}
