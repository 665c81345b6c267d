"""Procedurally drawn phantoms with exact masks, made to look like the modalities of medical imaging.

Every phantom is a function of its seed alone. Anatomy is only suggested: what matters to a promptable
segmenter is how borders, textures, neighbours and artefacts look, not whether the organs are right.

    phantom = draw(seed=7)                     # any modality
    phantom = draw(seed=7, modality="us")      # one of MODALITIES
"""
from __future__ import annotations

from typing import Callable, Dict, Optional

import numpy as np

from colour import abstract, dermoscopy, fundus, microscopy
from shapes import Phantom, annotate
from tomography import ct, mr
from ultrasound_xray import us, xray

Generator = np.random.Generator


MODALITIES: Dict[str, Callable[[Generator], Phantom]] = {
    "ct": ct,
    "mr": mr,
    "us": us,
    "xray": xray,
    "dermoscopy": dermoscopy,
    "microscopy": microscopy,
    "fundus": fundus,
    "abstract": abstract,
}
SHARES = {
    "ct": 0.2,
    "mr": 0.15,
    "us": 0.28,
    "xray": 0.07,
    "dermoscopy": 0.08,
    "microscopy": 0.06,
    "fundus": 0.04,
    "abstract": 0.12,
}


def draw(seed: int, modality: Optional[str] = None) -> Phantom:
    """The phantom of this seed; it has at least one mask."""
    rng = np.random.default_rng([seed, 2026])
    kinds = list(SHARES)
    chosen = modality or str(rng.choice(kinds, p=[SHARES[k] for k in kinds]))
    while True:
        phantom = MODALITIES[chosen](rng)
        if phantom.masks:
            break
    if rng.random() < 0.2:
        phantom.image = annotate(rng, phantom.image)
    return phantom
