// Params structs as bytes.
import { paramsBytes, type Shader } from "../graph/shader.ts";

/** The shader's uniform struct with these values. */
export function packParams(shader: Shader, params: Readonly<Record<string, number>>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(paramsBytes(shader));
  const view = new DataView(bytes.buffer);
  for (const { name, offset, type } of shader.params) {
    const value = params[name] as number;
    if (type === "f32") view.setFloat32(offset, value, true);
    else if (type === "i32") view.setInt32(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  return bytes;
}
