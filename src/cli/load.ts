// A model from what `--weights` names, on Dawn.
import { SamMed2D, type Segmenter } from "../index.ts";
import { provideWebGpu } from "./dawn.ts";
import { type ModelOptions, modelOptions } from "./environment.ts";
import { downloadProgress, loadProgress } from "./terminal.ts";
import { tuningFile } from "./tuning_file.ts";
import { openWeights } from "./weights.ts";

export async function loadModel({ weights, terminal, signal, ...how }: ModelOptions): Promise<Segmenter> {
  // The file first: a wrong path or a wrong file is told at once. From `load` on the model closes it.
  const opened = await openWeights(weights, signal, downloadProgress(terminal), (notice) => terminal.notice(notice));
  try {
    await provideWebGpu();
  } catch (error) {
    if (typeof opened !== "string") await opened.close();
    throw error;
  }
  return SamMed2D.load({ weights: opened, signal, onProgress: loadProgress(terminal), tune: tuningFile, ...modelOptions(how) });
}
