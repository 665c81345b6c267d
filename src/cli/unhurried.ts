/**
 * Dawn's binding for Node asks after work under way with `setImmediate`, over and over: a whole core, which a software adapter needs to compile and
 * compute. From now on it asks every millisecond. Native code is told by its text: a promise's `resolve` waits that millisecond too, all else is called as before.
 */
export function askDawnUnhurriedly(): void {
  const { setImmediate, setTimeout } = globalThis;
  const isNative = (callback: () => void) => Function.prototype.toString.call(callback).includes("[native code]");
  const unhurried = (callback: () => void, ...args: []) => (isNative(callback) ? setTimeout(callback, 1, ...args) : setImmediate(callback, ...args));
  Object.assign(globalThis, { setImmediate: unhurried });
}
