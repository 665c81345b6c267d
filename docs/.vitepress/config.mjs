// npm run docs: the documentation as a site in dist/docs, with search that works offline. Dead links fail the build.
import { existsSync, readFileSync } from "node:fs";

const icon = readFileSync(new URL("../../app/icon.svg", import.meta.url), "base64");
const reference = new URL("../reference/typedoc-sidebar.json", import.meta.url);

export default {
  title: "SAM-Med2D on WebGPU",
  description: "Interactive segmentation of medical images in the browser.",
  base: "/docs/",
  head: [["link", { rel: "icon", type: "image/svg+xml", href: `data:image/svg+xml;base64,${icon}` }]],
  outDir: "../dist/docs",
  cacheDir: "../.cache/vitepress",
  lang: "en",
  cleanUrls: false,
  markdown: { theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } },
  themeConfig: {
    // What explains comes before the reference. Serialized into the pages.
    search: { provider: "local", options: { miniSearch: { searchOptions: { boostDocument: (id) => (id.includes("/reference/") ? 0.2 : 1) } } } },
    nav: [
      { text: "Page", link: "/page" },
      { text: "Library", link: "/api" },
      { text: "Command line", link: "/command_line" },
    ],
    sidebar: [
      {
        text: "Use",
        items: [
          { text: "Start in five minutes", link: "/" },
          { text: "The page", link: "/page" },
          { text: "Weights", link: "/loading" },
          { text: "Files and volumes", link: "/files" },
          { text: "Labels and datasets", link: "/labels" },
          { text: "Command line", link: "/command_line" },
          { text: "Evaluation", link: "/evaluate" },
        ],
      },
      {
        text: "Build with it",
        items: [
          { text: "Library", link: "/api" },
          { text: "Bundlers", link: "/bundlers" },
          { text: "Hosting", link: "/hosting" },
        ],
      },
      {
        text: "Know it",
        items: [
          { text: "How it works", link: "/how_it_works" },
          { text: "Kernels and profiling", link: "/kernels" },
          { text: "Comparison", link: "/comparison" },
          { text: "Browsers", link: "/browsers" },
          { text: "Reliability", link: "/reliability" },
          { text: "Privacy", link: "/privacy" },
        ],
      },
      { text: "Reference", collapsed: true, items: existsSync(reference) ? JSON.parse(readFileSync(reference, "utf8")) : [] },
    ],
    outline: [2, 3],
  },
};
