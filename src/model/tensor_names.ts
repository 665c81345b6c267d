// Tensors that tell one network from another.

/** Of SAM-Med2D's own adapters. */
export const ADAPTER = /^image_encoder\.blocks\.\d+\.Adapter\.(norm|channel|spatial)\./;
