// The ops whose software kernels have another form for eight lanes, once more against their twins: elsewhere lavapipe has four.
import "../support/eight_lanes.ts";
import "../support/unoptimised.ts";
import "./attention.test.ts";
import "./conv2d.test.ts";
import "./conv_transpose2d.test.ts";
import "./linear.test.ts";
import "./relative_attention.test.ts";
import "./token_projection.test.ts";
