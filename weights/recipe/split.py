"""Decides once which cases of the real images stay out of training, and writes split.json.

A case is what one patient, volume or view may have given:
- slices of one volume or patient are one case, and so are an image and the distorted, turned or mirrored copies of it;
- where images carry only a number, near numbers are one case: consecutive slices of a patient lie beside each other;
- ultrasound frames of usgra carry only a number, and some are the same view under two. So three neighbours in the
  numbering make one case, and cases holding near-duplicates of each other are one case.
Mini gives every fifth case of a source, its last if it has two to four. The larger sets give every tenth, and a source
of fewer than ten its smallest. A source of a single case is all training: otherwise there would be nothing of its kind
to learn from. Two whole sources are never seen: `us--cca`, carotids, which any model should find, and `mr--npc`,
tumours of the nasopharynx, which blend into what is around them. Other sources of both modalities are trained on.

    python split.py --mini MINI --more TRAIN2
"""
from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Dict, List, Sequence

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

NEIGHBOURS = 3  # ultrasound frames a case
# Pairs of frames fall into two kinds with nothing between: 0.70 and up (same view), 0.64 and down (same organ).
SAME_VIEW = 0.66
NEVER_SEEN = ("us--cca", "mr--npc")

# What a source put before the name of an image where it shipped a distorted copy; cut short from the left in places.
COPY = re.compile(
    r"^[a-z]*torted_(?:\d+_0_3_0_3|\d_\d+_rsigma\d_\d_sigma\d+)_"
    r"|^(?:h|v|hv)?flipped_|^rotated_\d+_|^deformed_alpha_\d+_sigmoid_\d+_"
)
# The part of a plain name that is the patient, volume or slide; sources not listed have one image a case.
CASE = {
    "ct--alcapa": r"(\d+)\d{3}$",
    "ct--brain-haemorrhage-mc": r"(\d+)\d{3}$",
    "ct--core-penumbra": r"(\d+)\d{3}$",
    "mr--pd25": r"(\d+)\d{3}$",
    "mr--bigbrain": r"(\d+)\d{3}$",
    "ct--parse-av": r"(\d+)_",
    "ct--imagechd": r"(\d+)_",
    "ct--pddca": r"\d+_(\d+)_",
    "ct--brain-stroke-ct": r"((?:Ischemic|Hemorrhagic)_\d+)_",
    "mr--spider": r"(\d+)_",
    "mr--prostate158": r"(\d+)_",
    "mr--mets-to-brain": r"(BraTS_MET_\d+)_",
    "mr--sts": r".*?(STS_\d+)_",
    "xray--cdd-cesm": r"(P\d+)_",
    "histology--ebhi": r".*?(GT[A-Z]*\d+)",
    "histology--ocdc": r"(\d+)_",
    "histology--rings": r"(P\d+_[A-Z]\d+)_",
    "us--cca": r"(\d{15,})",
}
NUMBERED = ("ct--ct-ich", "mr--brisc2025", "mr--npc", "mr--brain-tumour-t2", "us--bl-usg")
GAP = 3  # numbers of NUMBERED further apart than this begin another case
TILES = "histology--camelyon"  # its numbers run without gaps, three tiles of a place in a row

Split = Dict[str, Dict[str, List[List[str]]]]


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
    """Volume or patient of an image of mini that is not ultrasound, from its name without modality and source."""
    for pattern in (r"^(amos_\d+)_\d+$", r"^(s\d+)_\d+$", r"^(brain1)-z\d+$", r"^(t[12])-\d+$"):
        found = re.match(pattern, stem)
        if found:
            return found.group(1)
    return "volume" if re.match(r"^z\d+$", stem) else stem


def ultrasound_cases(paths: Sequence[Path]) -> List[List[str]]:
    """Frames in numbering order -> cases, as described above."""
    signatures = [signature(path) for path in paths]
    case = [i // NEIGHBOURS for i in range(len(paths))]
    for i in range(len(paths)):
        for j in range(i):
            if case[i] != case[j] and likeness(signatures[i], signatures[j]) > SAME_VIEW:
                low, high = sorted((case[i], case[j]))
                case = [low if c == high else c for c in case]
    return [[p.stem for p, c in zip(paths, case) if c == number] for number in sorted(set(case))]


def grouped(stems: Sequence[str], keys: Sequence[object]) -> List[List[str]]:
    """Stems of equal key together, in the order in which keys first come."""
    cases: Dict[object, List[str]] = {}
    for stem, key in zip(stems, keys):
        cases.setdefault(key, []).append(stem)
    return list(cases.values())


def mini_split(root: Path) -> Split:
    sources: Dict[str, List[Path]] = {}
    for path in sorted((root / "images").glob("*.png")):
        sources.setdefault("--".join(path.stem.split("--")[:2]), []).append(path)
    split: Split = {}
    for source, paths in sources.items():
        stems = [path.stem for path in paths]
        cases = (
            ultrasound_cases(paths)
            if source.startswith("us--")
            else grouped(stems, [plain_case(stem.split("--")[2]) for stem in stems])
        )
        held = {i for i in range(len(cases)) if i % 5 == 4} or ({len(cases) - 1} if len(cases) > 1 else set())
        split[source] = parts(cases, held)
    return split


def cases_of(source: str, stems: Sequence[str]) -> List[List[str]]:
    """The cases of a source of a larger set."""

    def plain(stem: str) -> str:
        return COPY.sub("", stem.split("--", 2)[2])

    if source in NUMBERED or source == TILES:
        ordered = sorted(stems, key=lambda stem: int(plain(stem)))
        numbers = [int(plain(stem)) for stem in ordered]
        if source == TILES:
            return grouped(ordered, [number // 3 for number in numbers])
        return grouped(ordered, np.cumsum(np.diff(numbers, prepend=numbers[0]) > GAP).tolist())

    def case(stem: str) -> str:
        found = re.match(CASE[source], plain(stem)) if source in CASE else None
        return found.group(1) if found else plain(stem)

    return grouped(stems, [case(stem) for stem in stems])


def larger_split(root: Path) -> Split:
    sources: Dict[str, List[str]] = {}
    for image in json.loads((root / "image2label_train.json").read_text()):
        stem = Path(image).stem
        sources.setdefault("--".join(stem.split("--")[:2]), []).append(stem)
    split: Split = {}
    for source, stems in sorted(sources.items()):
        cases = cases_of(source, stems)
        if source in NEVER_SEEN:
            split[source] = {"train": [], "held_out": [], "never_seen": cases}
            continue
        smallest = {min(range(len(cases)), key=lambda i: len(cases[i]))} if len(cases) > 1 else set()
        split[source] = parts(cases, {i for i in range(len(cases)) if i % 10 == 9} or smallest)
    return split


def parts(cases: List[List[str]], held: set) -> Dict[str, List[List[str]]]:
    return {
        "train": [case for i, case in enumerate(cases) if i not in held],
        "held_out": [case for i, case in enumerate(cases) if i in held],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mini", type=Path, required=True)
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="larger sets: train2")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("split.json"))
    options = parser.parse_args()
    split = mini_split(options.mini)
    for root in options.more:
        split.update(larger_split(root))
    for source, kinds in split.items():
        print(source, " ".join(f"{kind} {len(cases)} cases, {sum(map(len, cases))} images;" for kind, cases in kinds.items()))
    options.out.write_text(json.dumps(split, indent=1) + "\n")


if __name__ == "__main__":
    main()
