"use client";
import { useEffect } from "react";
import { segmentTwice } from "../page/segment.js";

export function Client({ name }) {
  useEffect(() => {
    segmentTwice(() => new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" }));
  }, []);
  return <p>{name}</p>;
}
