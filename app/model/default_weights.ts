// The model that comes with the page, if the build had one: add the two files and it is loaded at the start.

export interface DefaultWeights {
  readonly name: string;
  /** Its own origin's. */
  readonly url: string;
  readonly sha256?: string;
}

/** Vite resolves these at build time; where a file is missing there is no entry. */
const manifests = import.meta.glob<{ readonly name?: string; readonly sha256?: string }>("../../weights/sam-med2d-tiny.json", {
  eager: true,
  import: "default",
});
const files = import.meta.glob<string>("../../weights/sam-med2d-tiny.safetensors", { eager: true, query: "?url", import: "default" });

export function defaultWeights(): DefaultWeights | null {
  const [manifest] = Object.values(manifests);
  const [url] = Object.values(files);
  if (!manifest || !url) return null;
  const { name = "sam-med2d-tiny", sha256 } = manifest;
  return { name, url: new URL(url, document.baseURI).href, ...(sha256 !== undefined && { sha256 }) };
}
