// A golden's network on Dawn.
import { type LoadOptions, SamMed2D } from "../../src/sam_med2d.ts";
import { libraryFeatures, requestTestDevice } from "../support/dawn.ts";
import type { Golden } from "../support/goldens.ts";

/** The file's device, with what the library asks for where it makes its own. */
export function testDevice(): Promise<GPUDevice> {
  return requestTestDevice({ features: libraryFeatures() });
}

export async function loadGolden(golden: Golden, options: Partial<LoadOptions> = {}): Promise<SamMed2D> {
  const { storedGrid, patch } = golden.config;
  const resized = golden.size !== storedGrid * patch;
  return SamMed2D.load({ weights: golden.checkpoint(), device: await testDevice(), ...(resized ? { imageSize: golden.size } : {}), ...options });
}
