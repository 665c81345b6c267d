// Compiling and caching pipelines.
import { SamError } from "../errors.ts";
import type { Dispatch } from "../graph/graph.ts";
import { type Shader, shaderText } from "../graph/shader.ts";
import { type Gpu, issue } from "./device.ts";

/** The pipeline of a dispatch, compiled asynchronously once per shader text; many may be under way at once. */
export function pipelineOf(gpu: Gpu, { shader, constants, condition }: Pick<Dispatch, "shader" | "constants" | "condition">): Promise<GPUComputePipeline> {
  const code = shaderText(shader, constants, condition);
  let pipeline = gpu.pipelines.get(code);
  if (!pipeline) {
    pipeline = compile(gpu, shader, code);
    gpu.pipelines.set(code, pipeline);
    pipeline.catch(() => gpu.pipelines.delete(code));
  }
  return pipeline;
}

const TYPE_OF = { read: "read-only-storage", write: "storage", uniform: "uniform" } as const;

/** Made from the declaration rather than "auto", so that a variant that leaves a binding out takes the same bind group. */
export function layoutOf({ device, layouts }: Gpu, shader: Shader): GPUBindGroupLayout {
  let layout = layouts.get(shader.name);
  if (!layout) {
    const entries = shader.bindings.map(({ index, access }) => ({ binding: index, visibility: GPUShaderStage.COMPUTE, buffer: { type: TYPE_OF[access] } }));
    layout = device.createBindGroupLayout({ label: shader.name, entries });
    layouts.set(shader.name, layout);
  }
  return layout;
}

async function compile(gpu: Gpu, shader: Shader, code: string): Promise<GPUComputePipeline> {
  const { device } = gpu;
  const { name } = shader;
  const [module, pipeline] = issue(gpu, () => {
    const module = device.createShaderModule({ label: name, code });
    const layout = device.createPipelineLayout({ label: name, bindGroupLayouts: [layoutOf(gpu, shader)] });
    return [module, device.createComputePipelineAsync({ label: name, layout, compute: { module, entryPoint: "main" } })] as const;
  });
  try {
    return await pipeline;
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const lines = code.split("\n");
    const details = messages.filter(({ type }) => type === "error").map(({ lineNum, message }) => `${message} in line ${lineNum}: ${lines[lineNum - 1] ?? ""}`);
    throw new SamError(
      {
        code: "device",
        op: `${name}.wgsl`,
        expected: "to compile",
        got: details.join("; ") || String(cause),
        remedy: "Update the browser; if it stays, report it with the adapter's name.",
      },
      { cause },
    );
  }
}
