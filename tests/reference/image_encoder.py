"""The image encoder: patches, windowed and global attention blocks with adapters, neck. Letters: see sam_med2d.py."""

from __future__ import annotations

import math
from typing import Optional

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from config import EMBED, Config
from layers import LayerNorm2d, MLPBlock


def split_windows(x: Tensor, side: int) -> Tensor:
    """[B, H, W, C] -> [B * windows, side, side, C], zeros added right and bottom up to a multiple of `side`."""
    b, h, w, c = x.shape
    x = F.pad(x, (0, 0, 0, -w % side, 0, -h % side))
    rows, columns = x.shape[1] // side, x.shape[2] // side
    return x.view(b, rows, side, columns, side, c).transpose(2, 3).reshape(-1, side, side, c)


def join_windows(windows: Tensor, h: int, w: int) -> Tensor:
    """Inverse of `split_windows`: [B * windows, side, side, C] -> [B, h, w, C], the added tokens dropped."""
    _, side, _, c = windows.shape
    rows, columns = math.ceil(h / side), math.ceil(w / side)
    x = windows.view(-1, rows, columns, side, side, c).transpose(2, 3)
    return x.reshape(-1, rows * side, columns * side, c)[:, :h, :w]


def relative_rows(table: Tensor, side: int) -> Tensor:
    """Table [L, d] -> [query, key, d] = table[query - key + side - 1], resized first if L is not 2 side - 1."""
    length = 2 * side - 1
    if table.shape[0] != length:
        table = F.interpolate(table.t()[None], size=length, mode="linear", align_corners=False)[0].t()
    at = torch.arange(side, device=table.device)
    return table[at[:, None] - at[None, :] + side - 1]


class WindowAttention(nn.Module):
    """Self-attention with decomposed relative positions, inside windows or (window None) over the whole grid.

    Padding happens after LayerNorm and nothing is masked: a padded key is the qkv bias and takes part.
    """

    def __init__(self, width: int, heads: int, window: Optional[int], grid: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        head = width // heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * (window or grid) - 1, head))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * (window or grid) - 1, head))

    def forward(self, x: Tensor) -> Tensor:
        """[B, H, W, C] -> [B, H, W, C]."""
        if self.window is None:
            return self.attend(x)
        _, h, w, _ = x.shape
        return join_windows(self.attend(split_windows(x, self.window)), h, w)

    def attend(self, x: Tensor) -> Tensor:
        """[n, K, K, C] -> [n, K, K, C], every token of a K x K square sees every other."""
        n, k_h, k_w, c = x.shape
        tokens = k_h * k_w
        q, k, v = self.qkv(x).view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each [n, heads, T, d]
        scores = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)  # [n, heads, T, T]

        # The relative terms take q as it is, not scaled.
        square = q.reshape(n, self.heads, k_h, k_w, -1)
        by_row = torch.einsum("nhyxd,ykd->nhyxk", square, relative_rows(self.rel_pos_h, k_h))
        by_column = torch.einsum("nhyxd,xkd->nhyxk", square, relative_rows(self.rel_pos_w, k_w))
        relative = by_row[..., :, None] + by_column[..., None, :]  # [n, heads, y, x, key y, key x]

        weights = (scores + relative.reshape(scores.shape)).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, k_h, k_w, c))


class Adapter(nn.Module):
    """The medical adapter of a block: a channel gate, then a strided convolution down and up again."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)  # eps 1e-5 here, unlike the block's own norms
        self.channel = nn.Sequential(
            nn.Linear(width, width // 4, bias=False),
            nn.ReLU(),
            nn.Linear(width // 4, width, bias=False),
            nn.Sigmoid(),
        )
        self.spatial = nn.Sequential(
            nn.Conv2d(width, width, 3, stride=2, padding=1, bias=False),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1, bias=False),
            nn.ReLU(),
        )
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, n: Tensor) -> Tensor:
        """[B, H, W, C] -> [B, H, W, C]; H and W must be even, or the way up does not meet the way down."""
        gate = self.channel(n.mean(dim=(1, 2)))  # [B, C]
        gated = n * gate[:, None, None, :]
        return self.norm(n + self.spatial(gated.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


class Block(nn.Module):
    def __init__(self, config: Config, window: Optional[int]) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = WindowAttention(config.width, config.heads, window, config.grid)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = MLPBlock(config.width, config.mlp or 4 * config.width, nn.GELU())
        if config.adapter:
            self.Adapter = Adapter(config.width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, H, W, C] -> [B, H, W, C]."""
        y = x + self.attn(self.norm1(x))
        n = self.norm2(y)
        out = y + self.mlp(n)
        return out + self.Adapter(n) if hasattr(self, "Adapter") else out


class PatchEmbed(nn.Module):
    def __init__(self, patch: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        """[B, 3, S, S] -> [B, g, g, C]."""
        return self.proj(images).permute(0, 2, 3, 1)


class ImageEncoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.patch, config.width)
        self.pos_embed = nn.Parameter(torch.zeros(1, config.grid, config.grid, config.width))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.ModuleList(
            Block(config, None if i in config.global_blocks else config.window) for i in range(config.depth)
        )
        self.neck = nn.Sequential(
            nn.Conv2d(config.width, EMBED, 1, bias=False),
            LayerNorm2d(EMBED),
            nn.Conv2d(EMBED, EMBED, 3, padding=1, bias=False),
            LayerNorm2d(EMBED),
        )

    def positions(self, grid: int) -> Tensor:
        """pos_embed for a grid of this side: [1, grid, grid, C]."""
        if self.pos_embed.shape[1] == grid:
            return self.pos_embed
        planes = self.pos_embed.permute(0, 3, 1, 2)
        return F.interpolate(planes, (grid, grid), mode="bilinear", align_corners=False).permute(0, 2, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        """[B, 3, S, S] normalised -> [B, 256, g, g]."""
        x = self.patch_embed(images)
        x = x + self.positions(x.shape[1])
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))
