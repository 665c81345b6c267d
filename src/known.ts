/**
 * What `Name` is called in the caller's own types, `Else` where they do not know it: Node's have no canvas, a worker's no elements, those of
 * TypeScript 5 no `GPUDevice`. So the declarations of the package are whole whatever `lib` is.
 */
export type Known<Name extends string, Else = never> = typeof globalThis extends { readonly [N in Name]: { prototype: infer Type } } ? Type : Else;
