"""Decides once which cases of mini stay out of training, and writes split.json.

A case is what one patient or volume may have given:
- slices of one volume are one case;
- ultrasound frames carry only a number, and some frames are the same view under two numbers. So three
  neighbours in the numbering make one case, and cases holding near-duplicates of each other are one case.
Within a source every fifth case is kept out; a source of two to four cases gives up its last; a source of a
single case is all training, as without it there would be nothing of its kind to learn from.

    python split.py --mini ../../../shared/data/mini
"""
from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Dict, List

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

NEIGHBOURS = 3  # ultrasound frames a case
# Pairs of frames fall into two kinds with nothing between: 0.70 and up (same view), 0.64 and down (same organ).
SAME_VIEW = 0.66


def signature(path: Path) -> np.ndarray:
    """Band-passed, standardised thumbnail [96, 96]: what is left is the pattern of tissue, not the brightness."""
    small = np.asarray(Image.open(path).convert("L").resize((96, 96), Image.BILINEAR), float)
    band = gaussian_filter(small, 1) - gaussian_filter(small, 8)
    return (band - band.mean()) / band.std()


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two signatures at the best shift."""
    product = np.fft.irfft2(np.fft.rfft2(a) * np.conj(np.fft.rfft2(b)))
    return float(product.max() / a.size)


def plain_case(stem: str) -> str:
    """Volume or patient of an image that is not ultrasound, from its name without modality and source."""
    for pattern in (r"^(amos_\d+)_\d+$", r"^(s\d+)_\d+$", r"^(brain1)-z\d+$", r"^(t[12])-\d+$"):
        found = re.match(pattern, stem)
        if found:
            return found.group(1)
    return "volume" if re.match(r"^z\d+$", stem) else stem


def ultrasound_cases(paths: List[Path]) -> List[List[Path]]:
    """Frames in numbering order -> cases, as described above."""
    signatures = [signature(path) for path in paths]
    case = [i // NEIGHBOURS for i in range(len(paths))]
    for i in range(len(paths)):
        for j in range(i):
            if case[i] != case[j] and likeness(signatures[i], signatures[j]) > SAME_VIEW:
                low, high = sorted((case[i], case[j]))
                case = [low if c == high else c for c in case]
    return [[p for p, c in zip(paths, case) if c == number] for number in sorted(set(case))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mini", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("split.json"))
    options = parser.parse_args()
    sources: Dict[str, List[Path]] = {}
    for path in sorted((options.mini / "images").glob("*.png")):
        modality, source, _ = path.stem.split("--")
        sources.setdefault(f"{modality}--{source}", []).append(path)
    split: Dict[str, Dict[str, List[List[str]]]] = {}
    for source, paths in sources.items():
        if source.startswith("us--"):
            cases = ultrasound_cases(paths)
        else:
            named: Dict[str, List[Path]] = {}
            for path in paths:
                named.setdefault(plain_case(path.stem.split("--")[2]), []).append(path)
            cases = list(named.values())
        held = {i for i in range(len(cases)) if i % 5 == 4} or ({len(cases) - 1} if len(cases) > 1 else set())
        names = [[path.stem for path in case] for case in cases]
        split[source] = {
            "train": [case for i, case in enumerate(names) if i not in held],
            "held_out": [case for i, case in enumerate(names) if i in held],
        }
        print(source, "cases", len(cases), "held out", [len(names[i]) for i in sorted(held)], "images")
    options.out.write_text(json.dumps(split, indent=1) + "\n")


if __name__ == "__main__":
    main()
