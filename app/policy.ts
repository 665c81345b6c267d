// What the page may ask, narrowed before anything else runs: its own files, https addresses of weights and servers, and the one server of its address
// (`?dicomweb=`) where that is an http one. A policy can only be narrowed, so that of index.html names http.

/** Its origin, where the page's own address names a DICOMweb server. */
function dicomWebOrigin(search: string): string | undefined {
  const given = new URLSearchParams(search).get("dicomweb");
  try {
    const { origin, protocol } = new URL(given ?? "");
    return /^https?:$/.test(protocol) ? origin : undefined;
  } catch {
    return undefined;
  }
}

const server = dicomWebOrigin(location.search);
const policy = document.createElement("meta");
policy.httpEquiv = "Content-Security-Policy";
policy.content = `connect-src 'self' https:${server ? ` ${server}` : ""}`;
document.head.append(policy);
