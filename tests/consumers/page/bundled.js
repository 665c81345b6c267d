// For bundlers that find a worker by its package name: Vite, webpack, Next, Parcel.
import { segmentTwice } from "./segment.js";

segmentTwice(() => new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" }));
