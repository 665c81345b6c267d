// Licences of the libraries that are bundled in dist/: THIRD_PARTY, beside what was built.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Problem, ROOT, readJson } from "./tools.mjs";

/** What a codec is compiled from, whose licence its package does not always carry: named in every case. */
const COMPILED = {
  "@cornerstonejs/codec-charls": "CharLS, BSD-3-Clause, https://github.com/team-charls/charls",
  "@cornerstonejs/codec-openjpeg": "OpenJPEG, BSD-2-Clause, https://github.com/uclouvain/openjpeg",
  "@cornerstonejs/codec-openjph": "OpenJPH, BSD-2-Clause, https://github.com/aous72/OpenJPH",
  "@cornerstonejs/codec-libjpeg-turbo-8bit": "libjpeg-turbo, IJG and BSD-3-Clause, https://github.com/libjpeg-turbo/libjpeg-turbo",
};

const PERMISSIVE = /^(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|Zlib|Unlicense|CC0-1\.0)$/;

/** A vite plugin that notes which packages a build takes modules from. */
export function notePackages(found) {
  return {
    name: "third-party",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        for (const id of Object.keys(chunk.modules ?? {})) {
          const [, name] = /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(id.replace(/^\0/, "")) ?? [];
          if (name) found.add(name.replaceAll("\\", "/"));
        }
      }
    },
  };
}

/** Throws where a bundled library's licence is not permissive. */
export function writeThirdParty(names, file) {
  const parts = [...names].sort().map((name) => {
    const folder = join(ROOT, "node_modules", name);
    const { version, license, author } = readJson(join(folder, "package.json"), {});
    if (!PERMISSIVE.test(license ?? ""))
      throw new Problem(`${name} ${version} is bundled, and its licence is ${license ?? "not named"}: expected a permissive one.`);
    const text = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
    const whose = typeof author === "string" ? author.replace(/\s*<[^>]*>/, "") : author?.name;
    const words = text && existsSync(join(folder, text)) ? readFileSync(join(folder, text), "utf8").trim() : `${license}${whose ? `, by ${whose}` : ""}`;
    return [`${name} ${version} (${license})`, ...(COMPILED[name] ? [`compiled from ${COMPILED[name]}`] : []), "", words].join("\n");
  });
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  writeFileSync(file, `${["Libraries bundled in this package, and their licences.", ...parts].join(rule)}\n`);
}
