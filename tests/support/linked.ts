// Every text that the library may hand to a WebGPU implementation: all kernels in all their variants and conditions, of networks that together
// have every op, as each kind of device records them.
import copyShader from "../../shaders/probe_copy.wgsl";
import fmaShader from "../../shaders/probe_fma.wgsl";
import unpackShader from "../../shaders/unpack.wgsl";
import { LANES } from "../../src/gpu/lanes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { shaderText } from "../../src/graph/shader.ts";
import { GPU_TARGET, type Target } from "../../src/graph/target.ts";
import type { Config } from "../../src/model/config.ts";
import { decodeGraph, encodeGraph } from "../../src/model/network.ts";
import { TILES } from "../../src/ops/matmul_tiles.ts";
import { NETWORKS, plainViT } from "./networks.ts";
import { CPU_TARGET, SWIFTSHADER } from "./targets.ts";

export interface Linked {
  /** `matmul f16`: the file and the condition. */
  readonly name: string;
  readonly text: string;
}

/** The variant of that name wherever there is a choice. */
const always = (name: string) => new Proxy({}, { get: () => name });

const WEIGHTS = [{}, { weights: "f16" }, { weights: "f16", halfProducts: true }, { weights: "int8" }] as const satisfies readonly Partial<Target>[];
const VARIANTS: readonly Target[] = [
  ...Object.keys(TILES).map((tile) => ({ ...GPU_TARGET, choices: always(`${tile}/2`) })),
  ...[4, 32].map((subgroupSize) => ({ ...GPU_TARGET, subgroupSize, lanes: LANES, choices: always("lanes/1") })),
];
const SOFTWARE: readonly Target[] = [CPU_TARGET, SWIFTSHADER, { kind: "cpu", subgroupSize: 0 }];

function graphsOf(config: Config, target: Target): Graph[] {
  const upsample = { width: 300, height: 200, left: 0, top: 0, resize: true, spanX: config.imageSize, spanY: config.imageSize };
  const decode = (tokens: number, probabilities: boolean) =>
    decodeGraph(config, { batch: 1, tokens, multimask: true, upsample: { ...upsample, probabilities } }, target).graph;
  // Many points have an attention of their own on software adapters.
  const graphs = [encodeGraph(config, target).graph, decode(2, false), decode(100, true)];
  const made = graphs.flatMap(({ weights }) => weights.flatMap(({ source }) => (source?.kind === "derived" ? [source.graph] : [])));
  return [...graphs, ...made];
}

export function linkedTexts(): Linked[] {
  const found = new Map<string, string>();
  const note = (name: string, condition: string, text: string) => found.set(text, condition ? `${name} ${condition}` : name);
  const small = plainViT(64, 4, 2, 256);
  const networks = [NETWORKS["vit_b"], NETWORKS["the default model"], small] as readonly Config[];
  const recorded = WEIGHTS.flatMap((weights) => [
    ...[GPU_TARGET, ...SOFTWARE].flatMap((target) => networks.flatMap((config) => graphsOf(config, { ...target, ...weights }))),
    ...VARIANTS.flatMap((target) => graphsOf(small, { ...target, ...weights })),
  ]);
  for (const { shader, constants, condition } of recorded.flatMap(({ dispatches }) => dispatches)) {
    note(shader.name, condition, shaderText(shader, constants, condition));
  }
  for (const condition of Object.keys(unpackShader.code)) note(unpackShader.name, condition, shaderText(unpackShader, {}, condition));
  for (const shader of [copyShader, fmaShader]) note(shader.name, "", shaderText(shader, {}));
  return [...found].map(([text, name]) => ({ name, text }));
}
