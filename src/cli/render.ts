// render: a slice as the picture that the network sees.
import { rgbPng, grayPng } from "./image_file.ts";
import { isAddress } from "./dicomweb.ts";
import type { Environment } from "./environment.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { openPicture, type PictureOptions } from "./picture.ts";
import { Terminal } from "./terminal.ts";

export interface RenderOptions extends PictureOptions {
  readonly out: string;
}

export async function renderSlice(path: string, options: RenderOptions, environment: Environment): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  const destinations = { "--out": options.out };
  await checkDestinations(destinations, isAddress(path) ? [] : [path]);
  const { image, chosen, notes, files } = await openPicture(path, options, terminal, signal);
  await checkDestinations(destinations, files);
  for (const note of notes) terminal.say(`sam-med2d: ${note}`);
  const { data, width, height, channels } = image;
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  await writeAll(new Map([[options.out, channels === 1 ? await grayPng(bytes, width, height) : await rgbPng(bytes, width, height)]]), signal);
  terminal.say(`${options.out}: ${width} × ${height} pixels, ${chosen.volume}, slice ${chosen.slice} of ${chosen.slices}, window ${chosen.window}`);
}
