// The few helpers that building this page by hand needs.

/** The element of index.html with this id; a missing one is a mistake in the page, said at once. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`bench/index.html has no ${kind.name} #${id}`);
  return found;
}

export type Content = Node | string | null | undefined | false;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content.filter((part): part is Node | string => Boolean(part)));
  return element;
}

export function button(label: string, onClick: () => void, className = ""): HTMLButtonElement {
  const made = make("button", { type: "button", className }, label);
  made.addEventListener("click", onClick);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function shape<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>>,
  ...content: readonly Content[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content.filter((part): part is Node | string => Boolean(part)));
  return element;
}

/** Rows of text; the first cell of each is its heading. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], foot?: readonly string[]): HTMLTableElement {
  const line = (cells: readonly string[]) => make("tr", {}, ...cells.map((cell, i) => (i === 0 ? make("th", { scope: "row" }, cell) : make("td", {}, cell))));
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...head.map((title) => make("th", { scope: "col" }, title)))),
    make("tbody", {}, ...rows.map(line)),
    foot && make("tfoot", {}, line(foot)),
  );
}
