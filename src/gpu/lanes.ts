// The product whose lanes hand each other the rows: fetched where subgroups are wide enough for it to be tried.
import matmulLanes from "../../shaders/matmul_lanes.wgsl";

export const LANES = matmulLanes;
