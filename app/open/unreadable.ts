// Why a file is no image for this page, by what is in it and not by its name.
import { damageWords, isWhole, kindOf, mendPicture } from "../../src/formats/index.ts";
import { SamError } from "../../src/index.ts";
import type { OpenedImage } from "./images.ts";

/** What browsers decode: where such a file fails, it is damaged. */
const DECODED = new Set(["png", "jpeg", "webp", "gif", "bmp", "avif", "ico"]);

/**
 * What a file that the browser refused is all the same, where only its end is wrong. Otherwise throws what is wrong with it; of a damaged PNG or
 * JPEG that names the row, and has what could be read as `rest`.
 */
export async function wholeOrRefused(
  file: Blob,
  name: string,
  head: Uint8Array,
  cause: unknown,
  open: (mended: File) => Promise<OpenedImage>,
): Promise<OpenedImage> {
  const refusal = (facts: Facts) => new SamError({ code: "image", op: "open", argument: name, ...facts }, { cause });
  const kind = kindOf(head);
  if (file.size === 0 || (kind?.id !== "png" && kind?.id !== "jpeg")) throw refusal(reasonOf(head, file.size));
  const mended = await mendPicture(new Uint8Array(await file.arrayBuffer()));
  if (mended.odd) throw refusal({ expected: "an image this browser can read", got: mended.odd, remedy: "Save it as PNG." });
  const rest = mended.bytes && new File([mended.bytes], name, { type: file.type });
  const opened = rest && (await open(rest).catch(() => undefined));
  if (opened && isWhole(mended)) return opened;
  const error = refusal({ expected: `a whole ${mended.kind} image`, got: `one that is ${damageWords(mended)}`, remedy: AGAIN });
  throw opened ? Object.assign(error, { rest }) : error;
}

interface Facts {
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;
}

const AGAIN = "Copy or export it again from where it came.";

export function reasonOf(head: Uint8Array, size: number): Facts {
  const expected = "an image this browser can read";
  if (size === 0) return { expected, got: "an empty file", remedy: "Copy or export it again." };
  const kind = kindOf(head);
  if (kind && DECODED.has(kind.id)) {
    const got = "a damaged one: it ends too early, or bytes in it are wrong";
    return { expected: `${kind.name} that is whole`, got, remedy: AGAIN };
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
