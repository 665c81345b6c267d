// A golden's network on Dawn.
import { type LoadOptions, SamMed2D } from "../../src/sam_med2d.ts";
import { libraryFeatures, requestTestDevice } from "../support/dawn.ts";
import type { Golden } from "../support/goldens.ts";

/** The file's device, with what the library asks for where it makes its own. */
export function testDevice(): Promise<GPUDevice> {
  return requestTestDevice({ features: libraryFeatures() });
}

export async function loadGolden(golden: Golden, options: Partial<LoadOptions> = {}): Promise<SamMed2D> {
  const { config, input } = golden;
  const resized = config.family === "tiny_vit" || golden.size !== config.storedGrid * config.patch;
  const how = { ...(resized ? { imageSize: golden.size } : {}), ...(input ? { input } : {}) };
  return SamMed2D.load({ weights: golden.checkpoint(), device: await testDevice(), ...how, ...options });
}
