"""The two layers that encoder and decoder share."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch import Tensor


class LayerNorm2d(nn.Module):
    """LayerNorm over the channels of [B, C, H, W]."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=1, keepdim=True)
        variance = centred.square().mean(dim=1, keepdim=True)
        return centred / torch.sqrt(variance + self.eps) * self.weight[:, None, None] + self.bias[:, None, None]


class MLPBlock(nn.Module):
    """[..., C] -> [..., hidden] -> [..., C]."""

    def __init__(self, width: int, hidden: int, activation: nn.Module) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)
        self.act = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(self.act(self.lin1(x)))
