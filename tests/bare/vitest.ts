// What test files import from vitest, put together from vitest's own runner and assertions, without its module server and worker pool: one bundle runs them.
import * as assertions from "@vitest/expect";
import { getCurrentTest } from "@vitest/runner";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "@vitest/runner";

const { chai } = assertions;
for (const plugin of [assertions.JestExtend, assertions.JestChaiExpect, assertions.JestAsymmetricMatchers]) chai.use(plugin);

export const expect = Object.assign((value: unknown, message?: string) => {
  const assertion = chai.expect(value, message) as unknown as { withTest?: (test: unknown) => unknown };
  const test = getCurrentTest();
  return test && assertion.withTest ? assertion.withTest(test) : assertion;
}, chai.expect);
