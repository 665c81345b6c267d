// Samples that were drawn when the page was built: six take seconds of a processor, and dozens of tests open the page. tests/app/samples.test.ts
// draws them for themselves, and so does the page on its real model, whose tests are in Chromium too.
import type { Plugin } from "vite";
import { DRAW } from "../../../app/samples/draw.ts";

/** In place of app/samples/draw.ts: picture and true masks of a sample, one behind the other in a file that the worker reads when it is asked for it. */
export const drawn: Plugin = {
  name: "drawn-samples",
  apply: "build",
  enforce: "pre",
  transform(_code, id) {
    if (!id.endsWith("app/samples/draw.ts")) return null;
    const samples = Object.entries(DRAW).map(([name, draw]) => {
      const { picture, structures } = draw();
      const source = Buffer.concat([new Uint8Array(picture.data.buffer), ...structures.map(({ mask }) => mask)]);
      const file = this.emitFile({ type: "asset", name: `${name}.bin`, source });
      const { width, height } = picture;
      return `${name}: () => read(import.meta.ROLLUP_FILE_URL_${file}, ${width}, ${height}, ${JSON.stringify(structures.map((one) => one.name))})`;
    });
    return `${read}\nexport const DRAW = { ${samples.join(", ")} };`;
  },
};

/** Runs in the worker, which draws without a pause. */
function read(address: string, width: number, height: number, names: readonly string[]) {
  const asked = new XMLHttpRequest();
  asked.open("GET", address, false);
  asked.responseType = "arraybuffer";
  asked.send();
  const pixels = width * height;
  const bytes = asked.response as ArrayBuffer;
  const structures = names.map((name, i) => ({ name, mask: new Uint8Array(bytes, (4 + i) * pixels, pixels) }));
  return { picture: { data: new Uint8ClampedArray(bytes.slice(0, 4 * pixels)), width, height }, structures };
}
