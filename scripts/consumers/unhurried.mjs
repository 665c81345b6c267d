// For `node --import`: as src/cli/unhurried.ts, Dawn asks every millisecond after work under way, not over and over.
const { setImmediate, setTimeout } = globalThis;
const isNative = (callback) => Function.prototype.toString.call(callback).includes("[native code]");
globalThis.setImmediate = (callback, ...args) => (isNative(callback) ? setTimeout(callback, 1, ...args) : setImmediate(callback, ...args));
