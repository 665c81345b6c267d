// The worker entry: `new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" })`, given to
// `SamMed2DWorker.load`.
import { SamMed2D } from "../sam_med2d.ts";
import { serve } from "./host.ts";

serve(self, (options) => SamMed2D.load(options));
