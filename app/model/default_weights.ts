// The model that comes with the page, if the build had one: add the two files and it is loaded at the start.

export interface DefaultWeights {
  readonly name: string;
  /** Its own origin's. */
  readonly url: string;
  readonly sha256: string;
}

/** Vite resolves these at build time; where a file is missing there is no entry. */
const hashes = import.meta.glob<string>("../../weights/sam-med2d-tiny.json", { eager: true, import: "sha256" });
const files = import.meta.glob<string>("../../weights/sam-med2d-tiny.safetensors", { eager: true, query: "?url", import: "default" });

export function defaultWeights(): DefaultWeights | null {
  const [sha256] = Object.values(hashes);
  const [url] = Object.values(files);
  if (!sha256 || !url) return null;
  return { name: "sam-med2d-tiny", url: new URL(url, document.baseURI).href, sha256 };
}
