// Models that the page offers by name: what each is for, how large, whose, and from where.
import type { WordKey } from "../words/words.ts";

export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly purpose: WordKey;
  /** To be downloaded, where it is not here yet. */
  readonly bytes: number;
  /** On the device: weights as the file has them, activations, a decode. */
  readonly deviceBytes: number;
  readonly licence: string;
  /** Where its project describes it, and its licence. */
  readonly page: string;
  /** As `weights` of the library; without it the project's file has to be downloaded by hand. */
  readonly weights?: string;
}

const APACHE = "Apache-2.0";
const SAM = "https://github.com/facebookresearch/segment-anything";

/** The default model, which comes with the page, stands before these. */
export const CATALOGUE: readonly Listed[] = [
  {
    id: "lite-medsam",
    name: "LiteMedSAM",
    purpose: "menu.lite-medsam",
    bytes: 39e6,
    deviceBytes: 240e6,
    licence: APACHE,
    page: "https://github.com/bowang-lab/MedSAM/tree/LiteMedSAM",
  },
  {
    id: "mobile-sam",
    name: "MobileSAM",
    purpose: "menu.mobile-sam",
    bytes: 40e6,
    deviceBytes: 240e6,
    licence: APACHE,
    page: "https://github.com/ChaoningZhang/MobileSAM",
    weights: "hf:dhkim2810/MobileSAM/mobile_sam.pt",
  },
  {
    id: "slim-sam",
    name: "SlimSAM 77",
    purpose: "menu.slim-sam",
    bytes: 39e6,
    deviceBytes: 100e6,
    licence: APACHE,
    page: "https://github.com/czg1225/SlimSAM",
    weights: "hf:Zigeng/SlimSAM-uniform-77",
  },
  {
    id: "slim-sam-50",
    name: "SlimSAM 50",
    purpose: "menu.slim-sam-50",
    bytes: 112e6,
    deviceBytes: 190e6,
    licence: APACHE,
    page: "https://github.com/czg1225/SlimSAM",
    weights: "hf:Zigeng/SlimSAM-uniform-50",
  },
  {
    id: "sam-med2d",
    name: "SAM-Med2D",
    purpose: "menu.sam-med2d",
    bytes: 1.1e9,
    deviceBytes: 1.12e9,
    licence: APACHE,
    page: "https://github.com/OpenGVLab/SAM-Med2D",
    weights: "hf:OpenGVLab/SAM-Med2D/sam-med2d_b.pth",
  },
  {
    id: "medsam",
    name: "MedSAM",
    purpose: "menu.medsam",
    bytes: 375e6,
    deviceBytes: 510e6,
    licence: APACHE,
    page: "https://github.com/bowang-lab/MedSAM",
    weights: "hf:wanglab/medsam-vit-base",
  },
  { id: "sam-b", name: "SAM ViT-B", purpose: "menu.sam", bytes: 375e6, deviceBytes: 510e6, licence: APACHE, page: SAM, weights: "hf:facebook/sam-vit-base" },
  {
    id: "sam-l",
    name: "SAM ViT-L",
    purpose: "menu.sam-large",
    bytes: 1.25e9,
    deviceBytes: 1.42e9,
    licence: APACHE,
    page: SAM,
    weights: "hf:facebook/sam-vit-large",
  },
  {
    id: "sam-h",
    name: "SAM ViT-H",
    purpose: "menu.sam-large",
    bytes: 2.56e9,
    deviceBytes: 2.76e9,
    licence: APACHE,
    page: SAM,
    weights: "hf:facebook/sam-vit-huge",
  },
];

/** Browsers tell the machine's memory roughly, up to 8 GiB, or not at all; a page gets a part of it, and on phones and tablets little. */
export function roomFor({ deviceMemory, maxTouchPoints = 0 }: { readonly deviceMemory?: number; readonly maxTouchPoints?: number }): number | undefined {
  if (deviceMemory !== undefined) return (deviceMemory * 2 ** 30) / 2;
  return maxTouchPoints > 1 ? 1.4e9 : undefined;
}

/** Whether an address of the browser's cache is a file of this model. */
export function isKeptAs({ weights }: Pick<Listed, "weights">, url: string): boolean {
  const repository = weights && /^hf:([^/]+\/[^/@]+)/.exec(weights)?.[1];
  return repository !== undefined && url.includes(`/${repository}/resolve/`);
}
