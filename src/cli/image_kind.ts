// A file that is no PNG or JPEG: what it is, and how its picture becomes one.
import { kindOf, type Medium, nameOfKind } from "../bytes/sniff.ts";
import { SamError } from "../errors.ts";

const REMEDIES: Readonly<Record<Medium, string>> = {
  picture: "Save it as PNG, in which no value is lost.",
  scan: "Choose the slice and its window in a viewer, and save that as PNG.",
  array: "Save the slice as PNG, windowed to 8 bits.",
  weights: "Weights are named with --weights; the image is a PNG or JPEG file.",
  archive: "Unpack it, and name the image in it.",
  document: "Save the picture in it as PNG.",
  recording: "Save one frame of it as PNG.",
  text: "Name a PNG or JPEG file.",
  program: "Name a PNG or JPEG file.",
};

/** `head` is up to 512 bytes of the start. */
export function notAnImage(path: string, head: Uint8Array): SamError {
  const kind = kindOf(head);
  const packedVolume = kind?.id === "gzip" && /\.(nii|mgh|img)?\.gz$|\.mgz$/i.test(path);
  const got = packedVolume ? "a packed NIfTI or MGH volume" : nameOfKind(head);
  const remedy = kind?.id === "lfs" ? "Fetch the file itself with: git lfs pull" : REMEDIES[packedVolume ? "scan" : (kind?.medium ?? "text")];
  return new SamError({ code: "image", op: path, expected: "a PNG or JPEG image", got, remedy });
}
