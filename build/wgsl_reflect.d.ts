// The package types only its main entry, which does not load under Node's ESM.
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export { WgslReflect } from "wgsl_reflect";
}
