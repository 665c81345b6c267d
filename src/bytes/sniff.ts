// What a file is, by its first 512 bytes: so that a wrong file is called by its name.

export type FileKind = "safetensors" | "zip" | "index" | "other";

export interface Look {
  readonly kind: FileKind;
  /** What it looks like, for a message. */
  readonly seen: string;
  readonly remedy: string;
}

const CHOOSE = "Choose the file with the weights (.pth or .safetensors).";
const RESAVE = `Save it again with PyTorch 1.6 or later: python -c "import torch; torch.save(torch.load('old.pth', map_location='cpu'), 'new.pth')"`;
const UNPACK = "Unpack it first.";

/** How a file begins, as `hexadecimal digits, a space, the same as text`, and what it then is. */
const KINDS: readonly (readonly [start: RegExp, seen: string, remedy: string, kind?: FileKind])[] = [
  [/^504b0304/, "a zip archive", CHOOSE, "zip"],
  [/^(1f8b|425a68|fd377a58|28b52ffd|377abcaf|52617221)/, "a packed archive", UNPACK],
  [/^89504e47/, "a PNG image", CHOOSE],
  [/^ffd8ff/, "a JPEG image", CHOOSE],
  // DICOM has its mark after 128 bytes.
  [/^(25504446|.{256}4449434d)/, "a DICOM or PDF file", CHOOSE],
  [/^(89484446|47475546|934e554d)/, "a Keras, GGUF or NumPy file", CHOOSE],
  // A length below 2^40 and the header's first brace.
  [/^.{10}0000007b/, "a safetensors file", CHOOSE, "safetensors"],
  [/^\w+ \s*<(!doctype|html|\?xml|head|body)/i, "an HTML page", "The address leads to a page, not to the file: use the download link itself."],
  [/^\w+ version https:\/\/git-lfs/, "a Git LFS pointer", "Fetch the file itself with: git lfs pull"],
  // A bare pickle, or the tar archive of the oldest versions.
  [/^(800[0-5]|.{514}7573746172)/, "a PyTorch file in the legacy format (before 1.6)", RESAVE],
  [/^\w+ \s*\{/, "a JSON file", CHOOSE, "index"],
  // A protocol buffer: ir_version, then the producer's name or an opset.
  [/^08[01].(12|1a|3a|42)/, "an ONNX model", CHOOSE],
];

export function lookAt(head: Uint8Array, size: number): Look {
  if (size === 0) return { kind: "other", seen: "an empty file", remedy: "Fetch the file again." };
  const hex = [...head].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = `${hex} ${new TextDecoder("latin1").decode(head)}`;
  for (const [start, seen, remedy, kind = "other"] of KINDS) if (start.test(text)) return { kind, seen, remedy };
  return { kind: "other", seen: `an unknown kind of file (first bytes ${hex.slice(0, 16)})`, remedy: CHOOSE };
}
