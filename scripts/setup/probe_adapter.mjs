// Asks Dawn for an adapter and prints it as JSON, or why Dawn does not run at all. Run as a child process: a Vulkan driver may crash, and its choice is made once a process.
const { create, globals } = await import("webgpu").catch((error) => {
  process.stdout.write(`\nbroken ${JSON.stringify(`${error?.message ?? error}`)}\n`);
  process.exit();
});
Object.assign(globalThis, globals);
const gpu = create([]);
const adapter = await gpu.requestAdapter();
let answer = null;
if (adapter) {
  const device = await adapter.requestDevice();
  const { vendor, architecture, device: name, description } = adapter.info;
  const software = /llvmpipe|lavapipe|swiftshader|software|basic render/i.test([vendor, architecture, name, description].join(" "));
  answer = { vendor, architecture, description, software, features: [...adapter.features].sort() };
  device.destroy();
}
process.stdout.write(`\nadapter ${JSON.stringify(answer)}\n`);
