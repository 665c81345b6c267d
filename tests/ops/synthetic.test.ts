import { expect, it } from "vitest";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { fill, synthetic } from "../../src/checkpoint/synthetic.ts";
import { uploadWeights } from "../../src/gpu/weights.ts";
import { Graph } from "../../src/graph/graph.ts";
import { asStored } from "../../src/graph/weight_source.ts";
import { linear } from "../../src/ops/linear.ts";
import { Executor } from "../../src/gpu/executor.ts";
import { ActivationPool } from "../../src/gpu/pool.ts";
import { describeGpu } from "../support/dawn.ts";
import { expectClose } from "../support/compare.ts";
import { readTensors, testGpu } from "../support/twins.ts";

describeGpu("the synthetic checkpoint", () => {
  it("reaches the kernels with the bits of its formula, piece by piece", async () => {
    // Three pieces; as the rows of a product with one row of the identity each comes out as it is.
    const [rows, columns] = [1100, 4096];
    const name = "image_encoder.blocks.0.mlp.lin1.weight";
    const gpu = await testGpu();
    const graph = new Graph("synthetic");
    const weight = graph.weight(name, [rows, columns], asStored(name, [rows, columns]));
    const row = 777;
    const x = graph.constant(
      "row",
      [1, rows],
      Float32Array.from({ length: rows }, (_, i) => (i === row ? 1 : 0)),
    );
    const y = graph.output(linear(graph, x, weight, { label: "row of the weights" }));
    const checkpoint = synthetic(7, [{ name, shape: [rows, columns] }]);
    const weights = await uploadWeights(gpu, graph.weights, checkpoint, { readF32: (tensor) => readF32(checkpoint, tensor) });
    const pool = new ActivationPool(gpu);
    const executor = await Executor.create(gpu, graph, pool, weights);
    await executor.run();
    const got = (await readTensors(executor, [y])).get(y) as Float32Array;
    const want = fill(name, [rows, columns], 7, row * columns, (row + 1) * columns);
    expectClose(got, want, { label: `row ${row}, in the second of three pieces`, bound: 0 });
    expect(new Set(want).size).toBeGreaterThan(columns / 2);
    executor.dispose();
    pool.dispose();
    for (const buffer of weights.values()) buffer.destroy();
  });
});
