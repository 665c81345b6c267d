// Prints what Tint makes of WGSL texts on this machine's adapter, and what it says of them: `dawn_dump.mjs texts.json`, an array of texts. Behind each
// line `#text N` comes Dawn's own dump of text N; `#message` and JSON is a message of the compiler. A process of its own: Dawn writes its dump to
// the standard output by itself.
import { readFileSync, writeSync } from "node:fs";
import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
const gpu = create(["enable-dawn-features=dump_shaders,enable_spirv_validation,vulkan_enable_f16_on_nvidia"]);
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16"].filter((feature) => adapter.features.has(feature)) });
for (const [index, code] of JSON.parse(readFileSync(process.argv[2], "utf8")).entries()) {
  writeSync(1, `\n#text ${index}\n`);
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  device.createComputePipeline({ layout: "auto", compute: { module } });
  const error = await device.popErrorScope();
  for (const { message } of error ? [...messages, error] : messages) writeSync(1, `\n#message ${JSON.stringify(message)}\n`);
}
device.destroy();
