// Tests record networks of every family without waiting.
import { fetchFamily, fetchVit, TINY_VIT_TENSOR } from "../../src/model/families.ts";

await Promise.all([fetchVit(), fetchFamily(new Set([TINY_VIT_TENSOR]))]);
