// Why a file is no image for this page, by what is in it and not by its name.
import { kindOf } from "../../src/formats/index.ts";
import { SamError } from "../../src/index.ts";

/** What browsers decode: where such a file fails, it is damaged. */
const DECODED = new Set(["png", "jpeg", "webp", "gif", "bmp", "avif", "ico"]);

export function unreadable(name: string, head: Uint8Array, size: number, cause: unknown): SamError {
  const { expected, got, remedy } = reasonOf(head, size);
  return new SamError({ code: "image", op: "open", argument: name, expected, got, remedy }, { cause });
}

export function reasonOf(head: Uint8Array, size: number): { readonly expected: string; readonly got: string; readonly remedy: string } {
  const expected = "an image this browser can read";
  if (size === 0) return { expected, got: "an empty file", remedy: "Copy or export it again." };
  const kind = kindOf(head);
  if (kind && DECODED.has(kind.id)) {
    const got = "a damaged one: it ends too early, or bytes in it are wrong";
    return { expected: `${kind.name} that is whole`, got, remedy: "Copy or export it again from where it came." };
  }
  return { expected, got: kind?.name ?? "a file of unknown kind", remedy: remedyFor(kind?.id, kind?.medium) };
}

function remedyFor(id: string | undefined, medium: string | undefined): string {
  if (id === "dicom") return "DICOM is not read here: export the slice as PNG from your viewer, with the window you want to segment in.";
  if (medium === "scan") return "Volumes are not read here: export a slice as PNG.";
  if (id === "tiff") return "TIFF, whole-slide images among it, is not read by most browsers: convert it, or the part of interest, to PNG.";
  if (medium === "archive") return "Unpack it and open the images in it.";
  if (medium === "weights") return "Weights are opened with Weights file…, or dropped under a name that ends in .safetensors or .pth.";
  if (medium === "picture") return "Convert it to PNG.";
  return "Use PNG, JPEG, WebP, GIF or BMP.";
}
