// Makes the built site one that works without a network: service worker, web manifest, icons, and the version in every page.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Plugin, transformWithOxc } from "vite";

const ICONS = ["icon-192.png", "icon-512.png", "icon-512-maskable.png"];

/** Weights are large, and kept by the library where they are used. */
const isWeights = (name: string) => name.endsWith(".safetensors");
const isPage = (name: string) => name.endsWith(".html");

/** `folder` holds the service worker's source, the manifest and the icons. */
export function offline(folder: string): Plugin {
  return {
    name: "offline",
    apply: "build",
    enforce: "post",
    async writeBundle({ dir }, bundle) {
      // The library and the command line are built by the same configuration.
      if (!dir || !("index.html" in bundle)) return;
      writeFileSync(join(dir, "manifest.webmanifest"), readFileSync(join(folder, "manifest.json")));
      for (const icon of ICONS) writeFileSync(join(dir, icon), readFileSync(join(folder, icon)));
      // Pages that were built before it into the same folder are part of the site.
      const all = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .map((file) => relative(dir, join(file.parentPath, file.name)).replaceAll("\\", "/"));
      const pages = all.filter(isPage);
      for (const page of pages) insert(join(dir, page), page === "index.html" ? LINKS : "");
      const files = all.filter((name) => !isWeights(name)).sort();
      const hash = createHash("sha256");
      for (const name of files) hash.update(`${name}\n`).update(readFileSync(join(dir, name)));
      const version = hash.digest("hex").slice(0, 16);
      for (const page of pages) insert(join(dir, page), `<meta name="version" content="${version}" />`);
      const source = join(folder, "service_worker.ts");
      const { code } = await transformWithOxc(readFileSync(source, "utf8"), source, { target: "es2022" });
      const site = { version, files: files.map((name) => name.replace(/(^|\/)index\.html$/, "$1")) };
      writeFileSync(join(dir, "service_worker.js"), `const SITE = ${JSON.stringify(site)};\n${code}`);
    },
  };
}

const LINKS = `<link rel="manifest" href="./manifest.webmanifest" />\n    <link rel="apple-touch-icon" href="./icon-192.png" />`;

function insert(page: string, tags: string): void {
  writeFileSync(page, readFileSync(page, "utf8").replace("</title>", `</title>\n    ${tags}`));
}
