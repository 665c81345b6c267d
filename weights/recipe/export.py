"""Writes a training run's averaged weights as the published half-precision file and its manifest.

    python export.py --run RUN --out .. [--figures figures.json]

The same last.pt always gives the same bytes.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch

from safetensors import save_safetensors

NAME = "sam-med2d-tiny"
LARGEST = 30_000_000  # bytes; the file is part of every clone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--figures", type=Path, help="evaluate.py's JSON, copied into the manifest")
    options = parser.parse_args()
    saved = torch.load(options.run / "last.pt", map_location="cpu")
    counters = "num_batches_tracked"  # of BatchNorm: used by nothing that answers
    tensors = {**saved["average"], **{k: v for k, v in saved["buffers"].items() if not k.endswith(counters)}}
    weights = options.out / f"{NAME}.safetensors"
    # Of a TinyViT no tensor tells the side it runs at, nor that it was trained as SAM-Med2D's are. Where a prompt is clear,
    # the single mask is better than the best of three.
    said = {"image_size": str(saved["config"]["image_size"]), "input": "sam-med2d", "multimask": "ambiguous"}
    save_safetensors(weights, tensors, {"format": "pt", "model": NAME, **said})
    size = weights.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"export: {weights.name} has {size} bytes, at most {LARGEST} are wanted")
    keep = ("processes", "batch", "prompts", "boxes", "share", "rate", "warmup", "cool", "decay", "seed", "precision", "minutes")
    manifest = {
        "name": NAME,
        "file": weights.name,
        "bytes": size,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "dtype": "float16",
        "parameters": sum(t.numel() for t in saved["average"].values()),
        "config": saved["config"],
        "input": {"channel_order": "bgr", "pixels": "8 bit", "multimask": "ambiguous"},
        "training": {
            "from": saved["from"],  # SHA-256 of the file it went on from
            "steps": saved["step"],
            "images": saved["images"],
            "minutes": round(saved["spent"], 1),
            "options": {k: saved["options"][k] for k in keep if k in saved["options"]},
        },
        "notice": "Not for clinical use.",
    }
    if options.figures:
        manifest["figures"] = json.loads(options.figures.read_text())
    (options.out / f"{NAME}.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(weights.name, size, "bytes", manifest["sha256"])


if __name__ == "__main__":
    main()
