// What paths of the family's datasets say of a mask.

export interface Names {
  /** `ct`, `mr`, `us` */
  readonly modality: string;
  readonly dataset: string;
  /** `liver` */
  readonly structure: string;
}

const UNKNOWN = "unknown";
/** Folders that say what files are, not what they show. */
const PLAIN_FOLDER =
  /^(\.|\.\.|(train|test|val|validation)|(ground_?truth|gt|seg|segmentation|label|mask|annotation|image|target)s?([-_](train|test|val|tr|ts))?)$/i;

/**
 * `modality[_variant]--dataset--…--[slice_]structure_000.png`, as in SA-Med2D-20M; or a mask named as its image with
 * `_structure_000` after it, as in the reference's demonstration data. Where the name says no structure, its folder does.
 */
export function namesOf(maskPath: string, imagePath: string): Names {
  const mask = stem(maskPath);
  const image = stem(imagePath);
  const parts = mask.split("--");
  const follows = mask.startsWith(image) && /^([-_. ]|$)/.test(mask.slice(image.length));
  const own = follows ? mask.slice(image.length) : (parts.at(-1) as string);
  const structure = own.replace(/^[-_. ]+/, "").replace(/_?\d+$/, "") || folderOf(maskPath) || UNKNOWN;
  if (parts.length < 3) return { modality: UNKNOWN, dataset: UNKNOWN, structure };
  return { modality: (parts[0] as string).split("_")[0] || UNKNOWN, dataset: parts[1] || UNKNOWN, structure };
}

/** The file's name without folders. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** One spelling for all of one path: forward slashes, no `.` and no `x/..`. */
export function plainPath(path: string): string {
  const parts: string[] = [];
  const slashed = path.replaceAll("\\", "/");
  for (const part of slashed.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return `${slashed.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}

function folderOf(path: string): string | undefined {
  const folder = plainPath(path).split("/").at(-2);
  return folder === undefined || PLAIN_FOLDER.test(folder) ? undefined : folder;
}

function stem(path: string): string {
  return baseName(path).replace(/\.[^.]*$/, "");
}
