// The names that transformers' SamModel gives the tensors of the network, and back.
import { bad, quoted } from "../bytes/fail.ts";

/** The reference's name, transformers' name: `#` is a number, `*` the rest. */
const NAMES = `
image_encoder.patch_embed.proj.*                  vision_encoder.patch_embed.projection.*
image_encoder.pos_embed                           vision_encoder.pos_embed
image_encoder.blocks.#.norm1.*                    vision_encoder.layers.#.layer_norm1.*
image_encoder.blocks.#.norm2.*                    vision_encoder.layers.#.layer_norm2.*
image_encoder.blocks.#.attn.*                     vision_encoder.layers.#.attn.*
image_encoder.blocks.#.mlp.*                      vision_encoder.layers.#.mlp.*
image_encoder.neck.0.*                            vision_encoder.neck.conv1.*
image_encoder.neck.1.*                            vision_encoder.neck.layer_norm1.*
image_encoder.neck.2.*                            vision_encoder.neck.conv2.*
image_encoder.neck.3.*                            vision_encoder.neck.layer_norm2.*
prompt_encoder.pe_layer.positional_encoding_gaussian_matrix  shared_image_embedding.positional_embedding
prompt_encoder.pe_layer.positional_encoding_gaussian_matrix  prompt_encoder.shared_embedding.positional_embedding
prompt_encoder.point_embeddings.#.*               prompt_encoder.point_embed.#.*
prompt_encoder.point_embeddings.#.*               point_embed.#.*
prompt_encoder.not_a_point_embed.*                prompt_encoder.not_a_point_embed.*
prompt_encoder.no_mask_embed.*                    prompt_encoder.no_mask_embed.*
prompt_encoder.mask_downscaling.0.*               prompt_encoder.mask_embed.conv1.*
prompt_encoder.mask_downscaling.1.*               prompt_encoder.mask_embed.layer_norm1.*
prompt_encoder.mask_downscaling.3.*               prompt_encoder.mask_embed.conv2.*
prompt_encoder.mask_downscaling.4.*               prompt_encoder.mask_embed.layer_norm2.*
prompt_encoder.mask_downscaling.6.*               prompt_encoder.mask_embed.conv3.*
mask_decoder.iou_token.*                          mask_decoder.iou_token.*
mask_decoder.mask_tokens.*                        mask_decoder.mask_tokens.*
mask_decoder.transformer.layers.#.norm1.*         mask_decoder.transformer.layers.#.layer_norm1.*
mask_decoder.transformer.layers.#.norm2.*         mask_decoder.transformer.layers.#.layer_norm2.*
mask_decoder.transformer.layers.#.norm3.*         mask_decoder.transformer.layers.#.layer_norm3.*
mask_decoder.transformer.layers.#.norm4.*         mask_decoder.transformer.layers.#.layer_norm4.*
mask_decoder.transformer.layers.#.self_attn.*     mask_decoder.transformer.layers.#.self_attn.*
mask_decoder.transformer.layers.#.cross_attn_token_to_image.*  mask_decoder.transformer.layers.#.cross_attn_token_to_image.*
mask_decoder.transformer.layers.#.cross_attn_image_to_token.*  mask_decoder.transformer.layers.#.cross_attn_image_to_token.*
mask_decoder.transformer.layers.#.mlp.*           mask_decoder.transformer.layers.#.mlp.*
mask_decoder.transformer.final_attn_token_to_image.*  mask_decoder.transformer.final_attn_token_to_image.*
mask_decoder.transformer.norm_final_attn.*        mask_decoder.transformer.layer_norm_final_attn.*
mask_decoder.output_upscaling.0.*                 mask_decoder.upscale_conv1.*
mask_decoder.output_upscaling.1.*                 mask_decoder.upscale_layer_norm.*
mask_decoder.output_upscaling.3.*                 mask_decoder.upscale_conv2.*
mask_decoder.output_hypernetworks_mlps.#.layers.0.*  mask_decoder.output_hypernetworks_mlps.#.proj_in.*
mask_decoder.output_hypernetworks_mlps.#.layers.1.*  mask_decoder.output_hypernetworks_mlps.#.layers.0.*
mask_decoder.output_hypernetworks_mlps.#.layers.2.*  mask_decoder.output_hypernetworks_mlps.#.proj_out.*
mask_decoder.iou_prediction_head.layers.0.*       mask_decoder.iou_prediction_head.proj_in.*
mask_decoder.iou_prediction_head.layers.1.*       mask_decoder.iou_prediction_head.layers.0.*
mask_decoder.iou_prediction_head.layers.2.*       mask_decoder.iou_prediction_head.proj_out.*
`;

type Rule = readonly [from: RegExp, to: string];

const PAIRS = NAMES.trim()
  .split("\n")
  .map((line) => line.split(/\s+/) as [reference: string, transformers: string]);

function rule(from: string, to: string): Rule {
  const pattern = from.replaceAll(".", "\\.").replace("#", "(?<number>\\d+)").replace("*", "(?<rest>.+)");
  return [new RegExp(`^${pattern}$`), to.replace("#", "$<number>").replace("*", "$<rest>")];
}

const TO_REFERENCE = PAIRS.map(([reference, transformers]) => rule(transformers, reference));
const TO_TRANSFORMERS = PAIRS.map(([reference, transformers]) => rule(reference, transformers));

function renamed(name: string, rules: readonly Rule[]): string | undefined {
  const found = rules.find(([from]) => from.test(name));
  return found && name.replace(...found);
}

/** Undefined: no tensor of transformers' model is called so. */
export function referenceName(transformers: string): string | undefined {
  return renamed(transformers, TO_REFERENCE);
}

/** Undefined: the tensor has no place in transformers' model, as an adapter's. */
export function transformersName(reference: string): string | undefined {
  return renamed(reference, TO_TRANSFORMERS);
}

/** For `convert`. @throws SamError a tensor that transformers' model does not have. */
export function expectTransformersName(label: string, reference: string): string {
  const name = transformersName(reference);
  if (name !== undefined) return name;
  const remedy = /\.Adapter\./.test(reference) ? "Leave the adapters out (--adapter drop), or keep the reference's names." : "Keep the reference's names.";
  throw bad(label, "tensors that transformers' SamModel has", quoted(reference), remedy, "names");
}
