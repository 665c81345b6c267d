// Kernels for software adapters, where a load is a loop over the lanes and barriers cost more than sums. Fetched for those devices alone.
import attention from "../../shaders/attention_subgroups.wgsl";
import attentionBlock from "../../shaders/attention_block_subgroups.wgsl";
import layerNorm from "../../shaders/layer_norm_rows.wgsl";
import maskUpscale from "../../shaders/mask_upscale_subgroups.wgsl";
import matmul from "../../shaders/matmul_subgroups.wgsl";
import relativeAttention from "../../shaders/relative_attention_subgroups.wgsl";
import tokenProjection from "../../shaders/token_projection_subgroups.wgsl";
import type { SoftwareKernels } from "../graph/target.ts";

export const SOFTWARE_KERNELS: SoftwareKernels = { attention, attentionBlock, layerNorm, maskUpscale, matmul, relativeAttention, tokenProjection };
