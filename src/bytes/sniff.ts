// What a file is, by its first 512 bytes: so that a wrong file is called by its name. One table for weights and images.
import { expectBytes } from "./bytes_check.ts";

/** What people use it for: decides what is said of it where it does not belong. */
export type Medium = "picture" | "scan" | "array" | "weights" | "archive" | "document" | "recording" | "text" | "program";

export interface Kind {
  readonly id: string;
  /** With its article: `a TIFF image`. */
  readonly name: string;
  readonly medium: Medium;
}

/** How a file begins, as `hexadecimal digits, a space, the same as text`; the first that fits counts. */
const KINDS: readonly (readonly [start: RegExp, medium: Medium, id: string, name: string])[] = [
  [/^89504e47/, "picture", "png", "a PNG image"],
  [/^ffd8ff/, "picture", "jpeg", "a JPEG image"],
  // DICOM has its mark after 128 bytes; without it, it begins with a small group's element in order.
  [/^.{256}4449434d/, "scan", "dicom", "a DICOM file"],
  [/^0[28]00..00(554c|4353|5549|4f42|4441|4c4f)|^08000[0158]00..000000/, "scan", "dicom", "a DICOM file without its mark"],
  [/^(49492a00|4d4d002a|49492b00|4d4d002b)/, "picture", "tiff", "a TIFF image"],
  [/^(5c010000|0000015c).{680}(6e2b3100|6e693100)/, "scan", "nifti", "a NIfTI volume"],
  [/^(1c020000|0000021c)(6e2b32|6e6932)/, "scan", "nifti", "a NIfTI volume"],
  [/^(5c010000|0000015c)/, "scan", "analyze", "the header of a NIfTI or Analyze volume"],
  // With a size that no header has: its mark tells whoever reads it what is wrong.
  [/^.{688}6e(2b|69)3100/, "scan", "nifti", "a NIfTI volume with a damaged header"],
  [/^4e52524430/, "scan", "nrrd", "an NRRD volume"],
  [/^\w+ \s*(ObjectType|NDims)\s*=/, "scan", "metaimage", "a MetaImage volume"],
  [/^00000001(0000[0-9a-f]{4}){3}/, "scan", "mgh", "a FreeSurfer MGH volume"],
  [/^\w+ SIMPLE {2}=/, "scan", "fits", "a FITS image"],
  [/^434446[0-9a-f]{2}/, "scan", "netcdf", "a MINC or NetCDF file"],
  [/^\w+ ZISRAWFILE/, "scan", "czi", "a Zeiss CZI image"],
  [/^dacebe0a/, "scan", "nd2", "a Nikon ND2 image"],
  [/^70000000.{8}2a/, "scan", "lif", "a Leica LIF image"],
  [/^52494646.{8}57454250/, "picture", "webp", "a WebP image"],
  [/^47494638(37|39)61/, "picture", "gif", "a GIF image"],
  [/^424d.{8}.{8}.{8}(0c|28|34|38|40|6c|7c)000000/, "picture", "bmp", "a BMP image"],
  [/^.{8}66747970(61766966|61766973)/, "picture", "avif", "an AVIF image"],
  [/^.{8}66747970(6865(69|76)[0-9a-f]{2}|6d696631|6d736631)/, "picture", "heic", "a HEIC image"],
  [/^(0000000c6a502020|ff4fff51)/, "picture", "jpeg2000", "a JPEG 2000 image"],
  [/^(0000000c4a584c20|ff0a)/, "picture", "jpegxl", "a JPEG XL image"],
  [/^\w+ P[1-7]\s/, "picture", "pnm", "a PNM image"],
  [/^\w+ P[Ff]\s/, "picture", "pfm", "a PFM image"],
  [/^00000[12]00(?!0000)[0-9a-f]{2}00/, "picture", "ico", "an icon"],
  [/^0000(02|0a)0000000000/, "picture", "tga", "a TGA image"],
  [/^38425053/, "picture", "psd", "a Photoshop image"],
  [/^\w+ gimp xcf/, "picture", "xcf", "a GIMP image"],
  [/^762f3101/, "picture", "exr", "an OpenEXR image"],
  [/^\w+ #\?(RADIANCE|RGBE)/, "picture", "hdr", "a Radiance HDR image"],
  [/^716f6966/, "picture", "qoi", "a QOI image"],
  [/^44445320/, "picture", "dds", "a DDS image"],
  [/^\w+ (ï»¿)?\s*(<\?xml[\s\S]*)?<(!DOCTYPE )?svg/i, "picture", "svg", "an SVG drawing"],
  [/^25504446/, "document", "pdf", "a PDF document"],
  [/^(25215053|c5d0d3c6)/, "document", "postscript", "a PostScript document"],
  [/^\w+ \{\\rtf/, "document", "rtf", "an RTF document"],
  [/^d0cf11e0/, "document", "ole", "an Office document of the old kind"],
  // By the name of the first entry of the zip.
  [/^504b0304.{52}5b436f6e74656e74/, "document", "office", "an Office document"],
  [/^504b0304\w* PK[\s\S]{28}[^/]{1,200}\.npy/, "array", "npz", "a NumPy .npz archive"],
  [/^504b(0304|0506)/, "archive", "zip", "a zip archive"],
  [/^1f8b/, "archive", "gzip", "a gzip-packed file"],
  [/^425a683[1-9](314159265359|177245385090)/, "archive", "bzip2", "a bzip2-packed file"],
  [/^fd377a58/, "archive", "packed", "an xz-packed file"],
  [/^28b52ffd/, "archive", "packed", "a Zstandard-packed file"],
  [/^377abcaf/, "archive", "packed", "a 7-Zip archive"],
  [/^52617221/, "archive", "packed", "a RAR archive"],
  [/^894844460d0a1a0a/, "array", "hdf5", "an HDF5 file"],
  [/^934e554d5059/, "array", "npy", "a NumPy array"],
  [/^\w+ MATLAB/, "array", "matlab", "a MATLAB file"],
  [/^47475546/, "weights", "gguf", "a GGUF file"],
  [/^(6c6d6767|746a6767|666d6767)/, "weights", "ggml", "a GGML file"],
  [/^.{8}54464c33/, "weights", "tflite", "a TensorFlow Lite model"],
  [/^66747274/, "weights", "tensorrt", "a TensorRT engine"],
  // A length below 2^40 and the header's first brace.
  [/^.{10}0000007b/, "weights", "safetensors", "a safetensors file"],
  // PyTorch's magic number as a pickle, any other pickle, or the tar archive of the oldest versions.
  [/^800[0-5](95.{16})?8a0a6cfc9c46f9206aa85019/, "weights", "pickle", "a Python pickle (a PyTorch file in the legacy format, before 1.6)"],
  [/^800[0-5]/, "weights", "plain-pickle", "a Python pickle that PyTorch did not write"],
  [/^.{514}7573746172/, "weights", "tar", "a tar archive (PyTorch's legacy format, before 1.6, is one)"],
  // A protocol buffer: ir_version, then the producer's name or an opset.
  [/^08[01].(12|1a|3a|42)/, "weights", "onnx", "an ONNX model"],
  [/^.{8}66747970|^1a45dfa3|^52494646.{8}4156492|^000001b[a3]/, "recording", "video", "a video"],
  [/^(494433|fff[ab]|4f676753|664c6143)|^52494646.{8}57415645/, "recording", "sound", "a sound recording"],
  [/^(7f454c46|4d5a|cafebabe|cffaedfe)/, "program", "program", "a program"],
  [/^53514c69746520/, "document", "sqlite", "an SQLite database"],
  [/^\w+ version https:\/\/git-lfs/, "text", "lfs", "a Git LFS pointer"],
  [/^\w+ (ï»¿)?\s*<(!doctype html|html|head|body)/i, "text", "html", "an HTML page"],
  [/^\w+ (ï»¿)?\s*<\?xml/i, "text", "xml", "an XML file"],
  [/^\w+ (ï»¿)?\s*\{/, "text", "json", "a JSON file"],
  [/^fffe|^feff/, "text", "utf16", "a text file in UTF-16"],
];

/** `head` is up to 512 bytes of the start. Undefined: not known, and no text. */
export function kindOf(head: Uint8Array): Kind | undefined {
  expectBytes("kindOf", "head", head);
  const text = `${hexOf(head)} ${new TextDecoder("latin1").decode(head)}`;
  for (const [start, medium, id, name] of KINDS) if (start.test(text)) return { id, name, medium };
  // Too short to be told from the first bytes of a picture.
  const readable = head.length > 3 || (head[0] ?? 128) < 128;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what text has none of
  if (readable && !/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) return { id: "text", name: "a text file", medium: "text" };
  return undefined;
}

/** For a message: the kind's name, or how the file begins. */
export function nameOfKind(head: Uint8Array): string {
  return kindOf(head)?.name ?? `an unknown kind of file (first bytes ${hexOf(head).slice(0, 16)})`;
}

function hexOf(head: Uint8Array): string {
  return [...head].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
