"""Runs the original code of MobileSAM, LiteMedSAM and SAM on the weights and images of the goldens, and prints how far those are from its values.

    python check_originals.py --mobile-sam CHECKOUT --lite-medsam CHECKOUT --sam CHECKOUT

Each CHECKOUT is the original project's own (MobileSAM; MedSAM, branch LiteMedSAM; segment-anything), none of which is part of this one; those named
are checked. What they import of timm and does nothing in inference is put in its place here. Encoders run in double precision, as the goldens; prompts and
masks in single, because their code rounds coordinates to it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch
from preprocess import preprocess
from procedural_image import procedural_image
from safetensors_io import read
from sam_med2d import SamMed2D
from synthetic import synthetic_state
from tiny_vit import LITE_MEDSAM, MOBILE_SAM
from torch import Tensor, nn

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
TINY_VIT = dict(in_chans=3, embed_dims=[64, 128, 160, 320], depths=[2, 2, 6, 2], num_heads=[2, 4, 5, 10], window_sizes=[7, 7, 14, 7])


def stub_timm() -> None:
    class DropPath(nn.Module):
        def __init__(self, drop_prob: float = 0.0) -> None:
            super().__init__()

        def forward(self, x: Tensor) -> Tensor:
            return x

    layers, registry = types.ModuleType("timm.models.layers"), types.ModuleType("timm.models.registry")
    layers.DropPath, layers.to_2tuple, layers.trunc_normal_ = DropPath, lambda n: (n, n), lambda tensor, **_: tensor
    registry.register_model = lambda function: function
    sys.modules.update({"timm": types.ModuleType("timm"), "timm.models": types.ModuleType("timm.models")})
    sys.modules.update({"timm.models.layers": layers, "timm.models.registry": registry})


def modeling(checkout: Path, package: str) -> Any:
    """The package's networks alone: its other modules want libraries that nothing here needs."""
    sys.path.insert(0, str(checkout))
    holder = types.ModuleType(package)
    holder.__path__ = [str(checkout / package)]
    sys.modules[package] = holder
    return importlib.import_module(f"{package}.modeling")


def original(checkout: Path, package: str, encoder: Any, size: int) -> nn.ModuleDict:
    code = modeling(checkout, package)
    transformer = code.TwoWayTransformer(depth=2, embedding_dim=256, mlp_dim=2048, num_heads=8)
    return nn.ModuleDict(
        {
            "image_encoder": encoder(code),
            "prompt_encoder": code.PromptEncoder(256, (64, 64), (size, size), 16),
            "mask_decoder": code.MaskDecoder(
                num_multimask_outputs=3, transformer=transformer, transformer_dim=256, iou_head_depth=3, iou_head_hidden_dim=256
            ),
        }
    )


def check(name: str, config: Any, networks: nn.ModuleDict) -> None:
    arrays, facts = read(GOLDENS / f"{name}.safetensors")
    shapes = {key: tuple(tensor.shape) for key, tensor in SamMed2D(config).state_dict().items() if tensor.is_floating_point()}
    state = {key: torch.from_numpy(array) for key, array in synthetic_state(shapes, facts["weights_seed"]).items()}
    missing, unexpected = networks.load_state_dict(state, strict=False)
    networks.double().eval()
    lacking = [key for key in missing if "num_batches_tracked" not in key and "norm_head" not in key and ".head." not in key]
    print(f"{name}: lacking {lacking or 'none'}, unknown {unexpected or 'none'}")

    image = procedural_image(**facts["image"])
    medsam = facts.get("input") in ("medsam", "lite-medsam")
    pixels, _ = preprocess(image, facts["size"], facts["fit"], facts["order"], medsam=medsam)
    step = facts["steps"]

    def far(tensor: Tensor, key: str, steps: str) -> float:
        taken = tensor[tuple(slice(None, None, n) for n in step.get(steps, [1] * tensor.dim()))]
        return float(np.abs(taken.numpy() - arrays[key]).max())

    with torch.no_grad():
        embedding = networks["image_encoder"](torch.as_tensor(pixels).double()[None])
        print(f"  embedding {far(embedding, 'embedding', 'embedding'):.1e}")
        embedding = embedding.float()
        networks.float()
        for case, how in facts["cases"].items():
            given = {key: torch.tensor(arrays[at]) for key in ("points", "boxes") if (at := f"cases.{case}.model_{key}") in arrays}
            points = (given["points"].float(), torch.tensor(arrays[f"cases.{case}.labels"])) if "points" in given else None
            boxes = given["boxes"].float() if "boxes" in given else None
            sparse, dense = networks["prompt_encoder"](points=points, boxes=boxes, masks=None)
            positions = networks["prompt_encoder"].get_dense_pe()
            logits, scores = networks["mask_decoder"](embedding, positions, sparse, dense, how["multimask"])
            differences = far(logits, f"cases.{case}.logits", "cases.*.logits"), far(scores, f"cases.{case}.scores", "")
            print(f"  {case}: logits {differences[0]:.1e}, scores {differences[1]:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--mobile-sam", "--lite-medsam", "--sam"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    stub_timm()
    if options.mobile_sam:
        networks = original(options.mobile_sam, "mobile_sam", lambda code: code.TinyViT(img_size=1024, **TINY_VIT), 1024)
        check("mobile_sam", MOBILE_SAM, networks)
    if options.lite_medsam:
        sys.path.insert(0, str(options.lite_medsam))
        from tiny_vit_sam import TinyViT

        networks = original(options.lite_medsam, "segment_anything", lambda _: TinyViT(img_size=256, **TINY_VIT), 256)
        check("lite_medsam", LITE_MEDSAM, networks)
    if options.sam:
        for module in [key for key in sys.modules if key.startswith("segment_anything")]:
            del sys.modules[module]
        from dataclasses import replace
        from functools import partial

        from config import VIT_B

        norm = partial(nn.LayerNorm, eps=1e-6)
        vit_b = dict(img_size=1024, embed_dim=768, depth=12, num_heads=12, norm_layer=norm, use_rel_pos=True, window_size=14, out_chans=256)
        encoder = lambda code: code.ImageEncoderViT(**vit_b, qkv_bias=True, global_attn_indexes=[2, 5, 8, 11])  # noqa: E731
        check("vit_b_1024", replace(VIT_B, image_size=1024, adapter=False), original(options.sam, "segment_anything", encoder, 1024))


if __name__ == "__main__":
    main()
