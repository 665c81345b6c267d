"""Reading and writing the safetensors format: 8-byte header length, JSON header, tensors in C order."""
from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Dict, Mapping

import numpy as np
import torch
from torch import Tensor

TYPES = {"F32": np.float32, "F16": np.float16}


def load_safetensors(path: Path) -> Dict[str, Tensor]:
    """Every tensor of the file by name, in the file's own precision."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + start : 8 + length + end], TYPES[entry["dtype"]])
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def save_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Half-precision file. Names are sorted and nothing depends on time, so equal tensors give equal bytes."""
    header: Dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    blobs, offset = [], 0
    for name in sorted(tensors):
        values = tensors[name].detach().cpu().numpy().astype("<f2")
        if not np.isfinite(values).all():
            raise ValueError(f"save_safetensors: {name} does not fit half precision")
        blobs.append(values.tobytes())
        header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start on a multiple of 8
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
