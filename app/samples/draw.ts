// One painter for each sample; only the worker that draws needs them.
import type { SampleId } from "../open/samples.ts";
import { drawCt } from "./ct.ts";
import { drawDermoscopy } from "./dermoscopy.ts";
import { drawMicroscopy } from "./microscopy.ts";
import { drawMr } from "./mr.ts";
import type { Drawing } from "./structure.ts";
import { drawUltrasound } from "./ultrasound.ts";
import { drawXray } from "./xray.ts";

export const DRAW: Readonly<Record<SampleId, () => Drawing>> = {
  ct: drawCt,
  mr: drawMr,
  ultrasound: drawUltrasound,
  xray: drawXray,
  dermoscopy: drawDermoscopy,
  microscopy: drawMicroscopy,
};
