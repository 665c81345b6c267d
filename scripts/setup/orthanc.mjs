// Orthanc with its DICOMweb plugin, which DICOMweb is tested against: found, or on Debian and Ubuntu as root installed. Others may do without.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { lastLines, say } from "../tools.mjs";
import { aptInstall, aptUsable } from "./apt.mjs";

const PACKAGES = ["orthanc", "orthanc-dicomweb"];
const PLUGIN = "libOrthancDicomWeb.so";

/** `{ path, plugin }`, or undefined where there is none. `ORTHANC_PATH` names another program, `ORTHANC_DICOMWEB` another plugin. */
function findOrthanc() {
  const { PATH = "", ORTHANC_PATH, ORTHANC_DICOMWEB } = process.env;
  const folders = [...PATH.split(delimiter), "/usr/sbin", "/usr/local/sbin"].filter(Boolean);
  const path = ORTHANC_PATH ?? folders.map((folder) => join(folder, "Orthanc")).find((file) => existsSync(file));
  const plugins = ["/usr/share/orthanc/plugins", "/usr/local/share/orthanc/plugins"].map((folder) => join(folder, PLUGIN));
  const plugin = ORTHANC_DICOMWEB ?? plugins.find((file) => existsSync(file));
  return path && plugin ? { path, plugin } : undefined;
}

export async function ensureOrthanc() {
  const found = findOrthanc();
  if (found) return found;
  // Where systemd runs, the package would start a server for good: that is for its owner to decide.
  if (!aptUsable() || existsSync("/run/systemd/system")) {
    say(`No Orthanc with DICOMweb was found: its tests are left out. On Debian and Ubuntu: apt-get install ${PACKAGES.join(" ")}`);
    return undefined;
  }
  say("Installing Orthanc for the DICOMweb tests …");
  const { ok, output } = await aptInstall(PACKAGES);
  if (!ok) say(lastLines(output, 15));
  return findOrthanc();
}
