// The name that `using` looks for; by the registry where the browser has none of its own yet, as helpers of compilers do.
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
