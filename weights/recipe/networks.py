"""The networks that were compared, by name, and how each starts when it has to learn from little.

    python networks.py            work for one image and parameters of each
"""
from __future__ import annotations

import math
from dataclasses import asdict
from typing import Dict, List, Mapping, Union

import torch
import torch.nn as nn
from torch import Tensor

from speed import Config, SamMed2D

try:
    from tiny_vit import TinyVitConfig
except ModuleNotFoundError:  # a reference without that encoder: the other networks are there all the same
    TinyVitConfig = None

NETWORKS: Dict[str, "Union[Config, TinyVitConfig]"] = {
    # All blocks see the whole 16 x 16 grid: windows of 14 would pad it to 28 x 28, three times the tokens for less view.
    "vit192": Config(width=192, depth=6, heads=3, global_blocks=(0, 1, 2, 3, 4, 5)),
    # The same work spent on depth, and on width.
    "deep": Config(width=128, depth=12, heads=2, global_blocks=tuple(range(12))),
    "wide": Config(width=256, depth=3, heads=4, global_blocks=(0, 1, 2)),
    # 32 x 32 tokens of 8 x 8 pixels, logits 128 x 128; windows of 16 need no padding.
    "patch8": Config(width=128, depth=6, heads=2, patch=8, window=16, global_blocks=(2, 5), adapter=False),
}
if TinyVitConfig:
    # MobileSAM's encoder at 256 pixels: stages of 64, 32, 16 and 16 tokens a side, in windows that need no padding.
    NETWORKS["tinyvit"] = TinyVitConfig(windows=(0, 8, 16, 16), image_size=256)
    # Three stages of 64, 32 and 32 tokens a side: logits 128 x 128 for the work of the one above.
    NETWORKS["tinyvit8"] = TinyVitConfig(widths=(48, 96, 160), depths=(2, 3, 3), heads=(0, 3, 5), windows=(0, 8, 16), image_size=256)


def initialise(model: SamMed2D) -> None:
    """Quiet residual branches, and positions known from the start."""
    encoder = model.image_encoder
    blocks = [module for module in encoder.modules() if hasattr(module, "attn") and hasattr(module, "mlp")]
    for block in blocks:
        linears: List[nn.Linear] = [block.attn.qkv, block.attn.proj, *(m for m in block.mlp.modules() if isinstance(m, nn.Linear))]
        for linear in linears:
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        with torch.no_grad():
            block.attn.proj.weight /= math.sqrt(2 * len(blocks))
            linears[-1].weight /= math.sqrt(2 * len(blocks))
            if hasattr(block, "Adapter"):
                block.Adapter.norm.weight.fill_(0.3)
    with torch.no_grad():
        if hasattr(encoder, "pos_embed"):
            encoder.pos_embed.copy_(0.3 * waves(model.config.grid, model.config.width))
        # Octaves of position, coarse ones to find the place and fine ones to find the border.
        matrix = model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
        matrix *= torch.exp(torch.linspace(math.log(0.3), math.log(2.0), matrix.shape[1]))


def waves(grid: int, width: int) -> Tensor:
    """Sines and cosines of column and row, [1, grid, grid, width]."""
    at = torch.arange(grid) + 0.5
    rates = torch.exp(torch.linspace(math.log(math.pi / grid), math.log(math.pi / 2), width // 4))
    one = torch.cat([torch.sin(at[:, None] * rates), torch.cos(at[:, None] * rates)], dim=1)  # [grid, width / 2]
    y, x = one[:, None].expand(grid, grid, -1), one[None].expand(grid, grid, -1)
    return torch.cat([x, y], dim=-1)[None]


def shaped(state: Mapping[str, Tensor]) -> SamMed2D:
    """The network whose tensors these are, with them in it, for answering."""
    if "image_encoder.pos_embed" in state:
        return SamMed2D.from_state_dict(state).eval()
    fitting = [config for config in NETWORKS.values() if not isinstance(config, Config)]
    for config in fitting:
        model = SamMed2D(config)
        if {k: v.shape for k, v in model.state_dict().items() if v.is_floating_point()} == {k: v.shape for k, v in state.items() if v.is_floating_point()}:
            model.load_state_dict(state, strict=False)
            return model.eval()
    raise SystemExit("networks: these tensors are of no network of this recipe")


@torch.no_grad()
def settle(model: SamMed2D, images: List[Tensor]) -> None:
    """Sets the means and variances of every BatchNorm to those of these batches [B, 3, S, S] under the weights it has."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        return
    rates = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    model.train()
    for batch in images:
        model.encode(batch)
    model.eval()
    for norm, rate in zip(norms, rates):
        norm.momentum = rate


def described(name: str) -> Dict[str, object]:
    return {"network": name, **asdict(NETWORKS[name])}


def main() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    for name, config in NETWORKS.items():
        model = SamMed2D(config).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            embedding = model.encode(torch.zeros(1, 3, config.image_size, config.image_size))
        parameters = sum(p.numel() for p in model.parameters())
        work = counter.get_total_flops() / 1e9
        print(f"{name:8s} {work:5.2f} GFLOP  {parameters:,} parameters  {2 * parameters / 1e6:.1f} MB  tokens {embedding.shape[-1]} x {embedding.shape[-1]}")


if __name__ == "__main__":
    main()
