// Stands in for src/sam_med2d.ts in `vite.config.ts` beside it: the page with a model that needs no GPU and no weights.
import { SamError } from "../../../src/errors.ts";
import type { LoadOptions } from "../../../src/sam_med2d.ts";
import { fakeLoad } from "../../worker/fake_model.ts";

const slow = fakeLoad({ loadTime: 80_000, encodeTime: 4000, decodeTime: 1500 });
const quick = fakeLoad({ encodeTime: 5, decodeTime: 5 });

function broken(op: string): SamError {
  const facts = { expected: "a safetensors or .pth file", got: "HTTP status 404 (Not Found)", remedy: "Check the address in a tab of its own." } as const;
  return new SamError({ code: "checkpoint", op, argument: "weights", ...facts });
}

export const SamMed2D = {
  load: (options: LoadOptions) => {
    const name = String(options.weights);
    if (name.includes("broken")) return Promise.reject(broken(name));
    return name.includes("slow") ? slow(options) : quick(options);
  },
};
