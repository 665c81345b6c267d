declare module "*.wgsl" {
  const shader: import("./graph/shader.ts").Shader;
  export default shader;
}
