// What the page may ask, narrowed before anything else runs: its own files, the one DICOMweb server of its address (`?dicomweb=`), and the hosts of the
// weights that were asked for. A policy can only be narrowed, so that of index.html names all. Weights are fetched by a worker, which browsers
// hold to its own policy; where one holds it to the page's, weights named later are allowed from the next load on.
import { chosenModel, hostsOf, hubOf } from "./model/choice.ts";

/** Its origin, where the page's own address names a DICOMweb server. */
function dicomWebOrigin(search: string): readonly string[] {
  const given = new URLSearchParams(search).get("dicomweb");
  try {
    const { origin, protocol } = new URL(given ?? "");
    return /^https?:$/.test(protocol) ? [origin] : [];
  } catch {
    return [];
  }
}

const model = chosenModel(location.search);
export const allowed: readonly string[] = [...dicomWebOrigin(location.search), ...(model ? hostsOf(model.url, hubOf(location.search)) : [])];
const policy = document.createElement("meta");
policy.httpEquiv = "Content-Security-Policy";
policy.content = ["connect-src 'self'", ...allowed].join(" ");
document.head.append(policy);
