import { SamMed2D } from "sam-med2d-webgpu";

export const load = (device: GPUDevice) => SamMed2D.load({ weights: "synthetic:7", device });
