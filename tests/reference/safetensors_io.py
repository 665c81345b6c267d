"""safetensors, as little of it as the goldens need: an 8-byte header length, a JSON header, the tensors' bytes."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

import numpy as np

DTYPES = {"F32": np.dtype("<f4"), "I32": np.dtype("<i4"), "U8": np.dtype("u1")}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write(path: Path, tensors: Mapping[str, np.ndarray], description: Mapping[str, Any]) -> None:
    """The same input gives the same bytes. `description` is kept as JSON under `__metadata__.description`."""
    # Bytes last, so that every four-byte tensor is aligned for a typed array laid over the file.
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header: Dict[str, Any] = {"__metadata__": {"description": json.dumps(description)}}
    at = 0
    for name in names:
        tensor = tensors[name]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": tensor.shape, "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            file.write(np.ascontiguousarray(tensors[name]).tobytes())


def read(path: Path) -> Tuple[Dict[str, np.ndarray], Any]:
    """Tensors by name, and the description."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header.pop("__metadata__")["description"])
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[start:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, description
