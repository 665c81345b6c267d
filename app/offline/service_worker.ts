// Keeps the built page on this machine: it opens from there, with or without a network, and is always one version as a whole.
// Weights are left alone: the library keeps those that were loaded. Nothing is asked for but the site's own files.

/** Written before this module by build/offline_plugin.ts. */
declare const SITE: {
  /** Of all files together; pages carry it too. */
  readonly version: string;
  /** Below the folder of the site; a folder's page is the folder. */
  readonly files: readonly string[];
};

interface Extendable extends Event {
  waitUntil(done: Promise<unknown>): void;
}

interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Scope extends EventTarget {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
}

const scope = self as unknown as Scope;
const ROOT = scope.registration.scope;
/** Other sites of the same origin keep theirs. */
const PREFIX = `page ${ROOT} `;
const NAME = PREFIX + SITE.version;
const FILES = new Set(SITE.files);

const isPage = (path: string) => path === "" || path.endsWith("/");

/** All files or none: where the server is between two versions, the browser tries again later. */
async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  try {
    await Promise.all(SITE.files.map((path) => keepFile(cache, path)));
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

async function keepFile(cache: Cache, path: string): Promise<void> {
  // Names of parts say what is in them: what the browser fetched for the page a moment ago is the same.
  const response = await fetch(new URL(path, ROOT), { cache: path.startsWith("assets/") ? "default" : "no-cache" });
  if (!response.ok) throw new Error(`${path}: HTTP status ${response.status}`);
  const content = await response.blob();
  if (isPage(path) && !(await content.text()).includes(SITE.version)) throw new Error(`${path || "the page"} is of another version`);
  // Anew, since browsers show no page from an answer that was redirected.
  const type = response.headers.get("content-type");
  await cache.put(new URL(path, ROOT), new Response(content, type ? { headers: { "content-type": type } } : {}));
}

/** The version before stays: tabs that it is still open in may need parts of it. */
async function dropOld(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

async function answer(path: string, request: Request): Promise<Response> {
  const address = new URL(path, ROOT);
  const kept = await (await caches.open(NAME)).match(address);
  // Only parts, whose names say what is in them, may come from an earlier version.
  if (kept || isPage(path)) return kept ?? fetch(request);
  for (const name of (await caches.keys()).filter((other) => other.startsWith(PREFIX))) {
    const earlier = await (await caches.open(name)).match(address);
    if (earlier) return earlier;
  }
  return fetch(request);
}

scope.addEventListener("install", (event) => (event as Extendable).waitUntil(keep()));
scope.addEventListener("activate", (event) => (event as Extendable).waitUntil(Promise.all([scope.clients.claim(), dropOld()])));
scope.addEventListener("message", (event) => {
  if ((event as MessageEvent).data === "take over") void scope.skipWaiting();
});
scope.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  const { origin, pathname } = new URL(request.url);
  const address = origin + pathname;
  if (request.method !== "GET" || !address.startsWith(ROOT)) return;
  const path = address.slice(ROOT.length).replace(/(^|\/)index\.html$/, "$1");
  if (FILES.has(path) || (path.startsWith("assets/") && path.endsWith(".js"))) (event as Fetching).respondWith(answer(path, request));
});
