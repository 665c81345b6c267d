// Why a file's tensors are not those of the network: fetched when they are not.
import { bad, quoted } from "../bytes/fail.ts";
import { formatShape } from "../errors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { partAlone } from "./part.ts";
import { PLAIN, QUANTISED } from "./unread.ts";
import { compareTensors, type ExpectedTensor, type TensorReport } from "./names.ts";

/** Throws one error that names everything that does not fit. Unknown tensors are no fault unless `allowUnknown` is false. */
export function checkTensors(
  checkpoint: Checkpoint,
  expected: Iterable<ExpectedTensor>,
  { allowUnknown = true }: { allowUnknown?: boolean } = {},
): TensorReport {
  const wanted = [...expected];
  const report = compareTensors(checkpoint, wanted);
  const faults = [
    ...listed(
      "missing",
      report.missing.map(({ name }) => (checkpoint.refused?.has(name) ? `${name} (there ${checkpoint.refused.get(name)})` : name + inFile(checkpoint, name))),
    ),
    ...listed(
      "wrong shape",
      report.misshaped.map(({ name, expected, got }) => `${name} expected ${formatShape(expected)} got ${formatShape(got)}`),
    ),
    ...(allowUnknown ? [] : listed("unknown", report.unknown.map(quoted))),
  ];
  if (faults.length === 0) return report;
  const part = report.missing.length > 0 && partAlone(checkpoint.label);
  if (part) throw bad(checkpoint.label, part.expected, part.got, part.remedy);
  throw bad(
    checkpoint.label,
    `the ${wanted.length} tensors of this network`,
    `${checkpoint.tensors.size} tensors; ${faults.join("; ")}`,
    remedyOf(report, wanted.length, checkpoint),
  );
}

function remedyOf({ missing, misshaped, unknown }: TensorReport, wanted: number, { refused }: Checkpoint): string {
  if (missing.length === wanted) return "This is a checkpoint of another network.";
  if (unknown.some((name) => QUANTISED.test(name))) return PLAIN;
  if (misshaped.length === 0 && missing.every(({ name }) => refused?.has(name)))
    return "Save them as plain tensors of real numbers: .to_dense(), .dequantize() or .float() in PyTorch.";
  return "The file may be of another configuration, or incomplete.";
}

function inFile({ nameInFile }: Checkpoint, name: string): string {
  const own = nameInFile?.(name) ?? name;
  return own === name ? "" : ` (${own} in transformers)`;
}

/** The first 20 and a count: a wrong file misses hundreds. */
function listed(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [`${items.length} ${title}: ${items.slice(0, 20).join(", ")}${items.length > 20 ? ` and ${items.length - 20} more` : ""}`];
}
