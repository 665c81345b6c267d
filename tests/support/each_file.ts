// Run before each test file, those that share a process with others too.
import { fetchFamily, fetchVit, TINY_VIT_TENSOR } from "../../src/model/families.ts";
import { watchDevices } from "./devices.ts";

// Tests record networks of every family without waiting.
await Promise.all([fetchVit(), fetchFamily(new Set([TINY_VIT_TENSOR]))]);
watchDevices();
