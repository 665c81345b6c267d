"""Procedurally drawn phantoms with exact masks, made to look like the modalities of medical imaging.

Every phantom is a function of its seed alone. Anatomy is only suggested: what matters to a promptable
segmenter is how borders, textures, neighbours and artefacts look, not whether the organs are right.

    phantom = draw(seed=7)                     # any modality
    phantom = draw(seed=7, modality="us")      # one of MODALITIES
"""
from __future__ import annotations

from typing import Callable, Dict, Optional

import numpy as np

from colour import abstract, dermoscopy, microscopy
from scopes import endoscopy, fundus
from shapes import Phantom, annotate
from tissue import histology, mammogram
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
    "histology": histology,
    "mammogram": mammogram,
    "fundus": fundus,
    "endoscopy": endoscopy,
    "abstract": abstract,
}
SHARES = {
    "ct": 0.15,
    "mr": 0.13,
    "us": 0.16,
    "xray": 0.06,
    "dermoscopy": 0.06,
    "microscopy": 0.05,
    "histology": 0.12,
    "mammogram": 0.06,
    "fundus": 0.05,
    "endoscopy": 0.08,
    "abstract": 0.08,
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
