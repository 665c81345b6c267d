import { describe, expect, it } from "vitest";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { fill, synthetic } from "../../src/checkpoint/synthetic.ts";
import { elements } from "../../src/graph/tensor.ts";
import { samError } from "./support.ts";

/** Made by the PyTorch reference: the first and last elements and the sum in double precision. */
const CHECKS = [
  {
    seed: 0,
    name: "image_encoder.patch_embed.proj.weight",
    shape: [768, 3, 16, 16],
    first: [0.06049308925867081, -0.03380788117647171, 0.041166357696056366, 0.010029003024101257],
    last: [0.005299985408782959, 0.015451893210411072],
    sum: 18.98591947555542,
  },
  {
    seed: 0,
    name: "image_encoder.pos_embed",
    shape: [1, 16, 16, 768],
    first: [-0.41603732109069824, 0.4659299850463867, 0.49813246726989746, -0.35127341747283936],
    last: [-0.4060474634170532, -0.1638658046722412],
    sum: -117.79054301977158,
  },
  {
    seed: 0,
    name: "image_encoder.blocks.3.norm2.weight",
    shape: [768],
    first: [1.0077100992202759, 1.0871894359588623, 1.0171351432800293, 1.0399010181427002],
    last: [0.9258150458335876, 1.025341510772705],
    sum: 769.4770085811615,
  },
  {
    seed: 0,
    name: "image_encoder.blocks.11.Adapter.spatial.2.weight",
    shape: [768, 768, 4, 4],
    first: [-0.004446333274245262, 0.005616240203380585, 0.012179965153336525, -0.006451526656746864],
    last: [0.0009026508778333664, -0.011236809194087982],
    sum: 15.989391852170229,
  },
  {
    seed: 0,
    name: "image_encoder.blocks.0.attn.qkv.bias",
    shape: [2304],
    first: [-0.024621039628982544, 0.039597369730472565, -0.020373905077576637, 0.021705472841858864],
    last: [0.049064505845308304, -0.04552650451660156],
    sum: -1.3223180256683236,
  },
  {
    seed: 0,
    name: "mask_decoder.mask_tokens.weight",
    shape: [4, 256],
    first: [0.06917250156402588, -0.3786817193031311, 0.4505193829536438, 0.1092073917388916],
    last: [0.15229016542434692, 0.4585212469100952],
    sum: -1.2581377625465393,
  },
  {
    seed: 0,
    name: "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    shape: [2, 128],
    first: [0.03160293400287628, 0.015373719856142998, -0.13084161281585693, -0.014383942820131779],
    last: [-0.14973607659339905, 0.054876379668712616],
    sum: -3.9281745957996463,
  },
  {
    seed: 7,
    name: "image_encoder.patch_embed.proj.weight",
    shape: [768, 3, 16, 16],
    first: [0.016406454145908356, 0.010797180235385895, -0.05465703457593918, -0.013095572590827942],
    last: [-0.05292446166276932, 0.02013290673494339],
    sum: 18.91015611588955,
  },
  {
    seed: 7,
    name: "image_encoder.pos_embed",
    shape: [1, 16, 16, 768],
    first: [-0.436897337436676, 0.49495410919189453, -0.22142469882965088, 0.1238548755645752],
    last: [0.42687278985977173, 0.2547621726989746],
    sum: -116.51371747255325,
  },
  {
    seed: 7,
    name: "image_encoder.blocks.3.norm2.weight",
    shape: [768],
    first: [0.9635975360870361, 1.0224080085754395, 0.9640581011772156, 0.9463184475898743],
    last: [0.9117231965065002, 0.9592104554176331],
    sum: 769.3589320778847,
  },
  {
    seed: 7,
    name: "image_encoder.blocks.11.Adapter.spatial.2.weight",
    shape: [768, 768, 4, 4],
    first: [-0.00099848210811615, -0.004805857315659523, -0.0005751345306634903, 0.0029667019844055176],
    last: [0.01288631558418274, 0.01102183386683464],
    sum: 16.02476235292852,
  },
  {
    seed: 7,
    name: "image_encoder.blocks.0.attn.qkv.bias",
    shape: [2304],
    first: [0.0462074838578701, -0.041096486151218414, 0.02199575863778591, 0.037155527621507645],
    last: [0.026216477155685425, -0.04750426486134529],
    sum: -1.2772038858166752,
  },
  {
    seed: 7,
    name: "mask_decoder.mask_tokens.weight",
    shape: [4, 256],
    first: [0.23681640625, 0.4913591742515564, -0.4037455916404724, 0.29189908504486084],
    last: [0.35994070768356323, -0.37489378452301025],
    sum: -2.661798655986786,
  },
  {
    seed: 7,
    name: "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    shape: [2, 128],
    first: [0.10747270286083221, -0.018875444307923317, -0.048736054450273514, 0.05935056135058403],
    last: [0.054733794182538986, -0.06149613857269287],
    sum: -3.7375633199553704,
  },
];

describe("synthetic", () => {
  for (const { seed, name, shape, first, last, sum } of CHECKS) {
    it(`gives the reference's bits for seed ${seed}, ${name}`, () => {
      const n = elements(shape);
      const values = fill(name, shape, seed, 0, n);
      expect([...values.subarray(0, 4)]).toEqual(first);
      expect([...values.subarray(n - 2)]).toEqual(last);
      let total = 0;
      for (const value of values) total += value;
      // Sums in another order differ in the last bits of 64.
      expect(Math.abs(total - sum)).toBeLessThan(1e-6);
    });
  }

  it("gives the same elements in any piece", async () => {
    const checkpoint = synthetic(7, [
      { name: "image_encoder.pos_embed", shape: [1, 16, 16, 8] },
      { name: "x.weight", shape: [13] },
    ]);
    for (const { name, shape } of checkpoint.tensors.values()) {
      const whole = await readF32(checkpoint, name);
      for (const [begin, end] of [
        [0, 1],
        [5, 12],
        [1, elements(shape)],
      ] as const) {
        const bytes = await checkpoint.read(name, begin, end);
        expect([...new Float32Array(bytes.buffer)]).toEqual([...whole.subarray(begin, end)]);
      }
    }
  });

  it("refuses seeds that are not 32-bit and tensors it does not have", async () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) await samError(async () => synthetic(seed, []));
    await samError(() => synthetic(7, []).read("x", 0, 1));
    await samError(() => synthetic(7, [{ name: "x", shape: [2] }]).read("x", 0, 3));
  });

  it("stops when cancelled", async () => {
    const checkpoint = synthetic(7, [{ name: "x", shape: [2] }]);
    await expect(checkpoint.read("x", 0, 2, AbortSignal.abort())).rejects.toThrow("abort");
  });
});
