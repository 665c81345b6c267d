// The few helpers that building a page by hand needs.

/** The element of index.html with this id; a missing one is a mistake in the page, said at once. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return found;
}

type Content = Node | string | null | undefined | false;

/** `make("p", { className: "hint" }, "text")` */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content.filter((part): part is Node | string => Boolean(part)));
  return element;
}

/** `12 345`, with thin spaces, as figures are set. */
export function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
