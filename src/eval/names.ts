// What file names of the family's datasets say of a mask.

export interface Names {
  /** `ct`, `mr`, `us` */
  readonly modality: string;
  readonly dataset: string;
  /** `liver` */
  readonly structure: string;
}

const UNKNOWN = "unknown";

/**
 * `modality[_variant]--dataset--…--[slice_]structure_000.png`, as in SA-Med2D-20M; or a mask named as its image with
 * `_structure_000` after it, as in the reference's demonstration data.
 */
export function namesOf(maskPath: string, imagePath: string): Names {
  const mask = stem(maskPath);
  const parts = mask.split("--");
  const own = mask.startsWith(stem(imagePath)) ? mask.slice(stem(imagePath).length) : (parts.at(-1) as string);
  const structure = own.replace(/^[-_]+/, "").replace(/_?\d+$/, "") || UNKNOWN;
  if (parts.length < 3) return { modality: UNKNOWN, dataset: UNKNOWN, structure };
  return { modality: (parts[0] as string).split("_")[0] || UNKNOWN, dataset: parts[1] || UNKNOWN, structure };
}

/** The file's name without folders: what the reference's prompt files go by. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function stem(path: string): string {
  return baseName(path).replace(/\.[^.]*$/, "");
}
