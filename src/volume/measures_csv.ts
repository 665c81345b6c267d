// Measurements as a table.
import type { Measures, Values } from "./measure.ts";

/** One line a label and slice, and one a label for all of it (slice empty); numbers with a point, text quoted where it needs it. */
export function measuresCsv({ labels, unit }: Measures, values = ""): string {
  const per = unit === "mm" ? { area: "area_mm2", volume: "volume_ml", length: "mm" } : { area: "area_pixels", volume: "volume_voxels", length: "pixels" };
  const units = values ? `_${values.replace(/\W+/g, "_")}` : "";
  const head = [
    "label",
    "id",
    "slice",
    "voxels",
    per.area,
    per.volume,
    `mean${units}`,
    `sd${units}`,
    `min${units}`,
    `max${units}`,
    `longest_${per.length}`,
    `shortest_${per.length}`,
  ];
  const number = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(9))) : "");
  // A name that begins like a formula would be run by a spreadsheet.
  const text = (name: string) => {
    const safe = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = labels.flatMap(({ label, voxels, volume, slices, ...all }) => [
    ...slices.map((one) => [text(label.name), label.id, one.slice, one.pixels, number(one.area), "", ...stats(one)]),
    [text(label.name), label.id, "", voxels, "", number(volume), ...stats(all)],
  ]);
  return `${[head, ...rows].map((row) => row.join(",")).join("\n")}\n`;

  function stats(of: Values & { longest: number; shortest: number }): string[] {
    return [of.mean, of.sd, of.min, of.max, of.longest, of.shortest].map(number);
  }
}
