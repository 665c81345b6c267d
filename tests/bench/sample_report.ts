// A report made by hand: two dispatches in encode, one in decode.
import type { BenchReport, GraphReport, KernelReport } from "../../src/bench/report.ts";
import { summarise } from "../../src/bench/statistics.ts";

function kernel(index: number, label: string, ms: number): KernelReport {
  return {
    index,
    label,
    op: "linear",
    kernel: "matmul",
    constants: "TILE_M=64",
    shape: "256×768×3072",
    workgroups: "48×4×1",
    flop: 1.2e9,
    bytes: 1.3e7,
    time: summarise([ms, ms, ms]),
    repeats: 4,
    share: 0.5,
    gflops: 1.2e9 / ms / 1e6,
    gbs: 1.3e7 / ms / 1e6,
    ofGflops: 0.4,
    ofGbs: 0.1,
    ofFloor: 0.4,
    parity: 2e-7,
  };
}

function graph(kernels: readonly KernelReport[]): GraphReport {
  return {
    dispatches: kernels.length,
    submits: 1,
    flop: 1.2e9 * kernels.length,
    bytes: 1.3e7 * kernels.length,
    weightBytes: 1e9,
    activationBytes: 1e7,
    coldMs: 9,
    medianMs: 4,
    wall: summarise([4, 4, 4]),
    gpu: summarise([3, 3, 3]),
    floorMs: 1,
    kernels,
  };
}

export function sampleReport(): BenchReport {
  return {
    schema: "sam-med2d-bench",
    version: 1,
    date: "2026-01-02T03:04:05.000Z",
    package: "0.1.0",
    environment: { runtime: "node", agent: "Node 20, Dawn", platform: "linux x64", cores: 2 },
    adapter: { description: "Test GPU", vendor: "test", architecture: "one", kind: "gpu", features: ["timestamp-query"], limits: { maxBufferSize: 268435456 } },
    precision: "f32",
    model: { name: "SAM-Med2D vit_b, 256×256", configuration: "vit_b", weights: "synthetic:7", synthetic: true },
    image: { width: 300, height: 200 },
    runs: 3,
    timing: { method: "timestamp", quantumUs: 100, quantised: true, submitMs: 0 },
    peaks: { gflops: 1500, gbs: 65 },
    memory: { weightBytes: 1.07e9, activationBytes: 1e7 },
    parity: {
      golden: [{ name: "embedding", maxAbsError: 3e-6, tolerance: 2e-4 }],
      checked: 2,
      kernels: 3,
      worst: { label: "image_encoder.neck.0", error: 1e-6 },
      tolerance: 1e-4,
    },
    stages: [{ name: "load and upload weights", coldMs: 100, warm: null }],
    encode: graph([kernel(0, "image_encoder.blocks.0.mlp.lin1", 2), kernel(1, 'a label, with "quotes"', 1)]),
    decode: graph([kernel(0, "mask_decoder.transformer.layers.0.mlp.lin1", 0.5)]),
  };
}
