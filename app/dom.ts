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

/** Lets go of the main thread: what a person does meanwhile comes first. */
export function breathe(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?(): Promise<void> } };
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}

/** When nothing else is to be done, and not later than in `most` milliseconds. */
export function quiet(most = 5000): Promise<void> {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve(), { timeout: most });
    else setTimeout(resolve, most / 10);
  });
}

/** `12 345`, with thin spaces, as figures are set. */
export function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
