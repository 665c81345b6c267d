// Which weights the page starts with: those that its own address names (`?model=`), else those chosen last, else the default. And the hosts that
// it must be allowed to ask for them. Nothing else of the page is imported: the policy is made of it before all else.

/** As far as it can be remembered: a file is gone with the visit. */
export interface Choice {
  /** An address, or `hf:owner/name`. */
  readonly url: string;
  readonly name?: string;
}

const KEY = "model";
/** The public hub, and the hosts that it keeps files on. */
const HUB_HOSTS = ["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co"];

/** Undefined: the default model. */
export function chosenModel(search: string): Choice | undefined {
  const asked = new URLSearchParams(search).get("model")?.trim();
  if (asked) return { url: asked };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (typeof kept !== "object" || kept === null || !("url" in kept) || typeof kept.url !== "string") return undefined;
    return { url: kept.url, ...("name" in kept && typeof kept.name === "string" && { name: kept.name }) };
  } catch {
    return undefined;
  }
}

/** Where storage is forbidden, the next visit starts with the default. */
export function rememberModel(choice: Choice | undefined): void {
  try {
    if (choice) localStorage.setItem(KEY, JSON.stringify(choice));
    else localStorage.removeItem(KEY);
  } catch {
    // Said above.
  }
}

/** A mirror of the hub, which the page's address may name (`?hub=`). */
export function hubOf(search: string): string | undefined {
  const given = new URLSearchParams(search).get("hub");
  return given && originOf(given) ? given : undefined;
}

/** What weights at this address are fetched from, as a policy names it. */
export function hostsOf(url: string, hub?: string): readonly string[] {
  if (/^hf:/i.test(url)) return hub ? [originOf(hub) as string] : HUB_HOSTS;
  const origin = originOf(url);
  return origin && origin !== globalThis.location?.origin ? [origin] : [];
}

function originOf(url: string): string | undefined {
  try {
    const { origin, protocol } = new URL(url);
    return /^https?:$/.test(protocol) ? origin : undefined;
  } catch {
    return undefined;
  }
}
