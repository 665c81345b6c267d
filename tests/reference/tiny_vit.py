"""TinyViT as image encoder, in the names of MobileSAM's and LiteMedSAM's checkpoints. Letters: see sam_med2d.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from config import EMBED
from image_encoder import join_windows, split_windows
from layers import LayerNorm2d


@dataclass(frozen=True)
class TinyVitConfig:
    """One entry a stage; the first has no heads and no window. The last merging keeps the side, the others halve it."""

    widths: Tuple[int, ...] = (64, 128, 160, 320)
    depths: Tuple[int, ...] = (2, 2, 6, 2)
    heads: Tuple[int, ...] = (0, 4, 5, 10)
    windows: Tuple[int, ...] = (0, 7, 14, 7)
    patch_kernel: int = 3
    image_size: int = 1024

    @property
    def patch(self) -> int:
        """Model pixels a side of one token."""
        return (4 if self.patch_kernel == 3 else 1) * 2 ** (len(self.widths) - 2)

    @property
    def grid(self) -> int:
        return self.image_size // self.patch


MOBILE_SAM = TinyVitConfig()
LITE_MEDSAM = TinyVitConfig(patch_kernel=1, image_size=256)


class ConvNorm(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.c = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)  # eps 1e-5

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.c(x))


class ConvBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, 4 * width, 1)
        self.conv2 = ConvNorm(4 * width, 4 * width, 3, groups=4 * width)
        self.conv3 = ConvNorm(4 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H, W]; the last activation sees the sum."""
        y = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return F.gelu(x + y)


class Merging(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(inputs, outputs, 1)
        self.conv2 = ConvNorm(outputs, outputs, 3, stride, groups=outputs)
        self.conv3 = ConvNorm(outputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))


class OffsetAttention(nn.Module):
    """Attention inside windows, a learned number for each head and each pair of distances. The norm lives inside."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)  # eps 1e-5
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        # Numbered in the order in which the pairs of distances come up, going through all pairs of tokens.
        numbers: dict = {}
        places = [(y, x) for y in range(window) for x in range(window)]
        index = [numbers.setdefault((abs(a - c), abs(b - d)), len(numbers)) for a, b in places for c, d in places]
        self.attention_biases = nn.Parameter(torch.zeros(heads, len(numbers)))
        self.register_buffer("index", torch.tensor(index).view(window**2, window**2), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[n, T, C] -> [n, T, C]."""
        n, tokens, width = x.shape
        head = width // self.heads
        q, k, v = self.qkv(self.norm(x)).view(n, tokens, self.heads, 3 * head).split(head, dim=3)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))  # each [n, heads, T, d]
        scores = (q @ k.transpose(-2, -1)) * head**-0.5 + self.attention_biases[:, self.index]
        return self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(n, tokens, width))


class Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class AttentionBlock(nn.Module):
    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = OffsetAttention(width, heads, window)
        self.local_conv = ConvNorm(width, width, 3, groups=width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H, W]; windows are cut before the norm, so a padded token is the norm's bias."""
        _, c, h, w = x.shape
        tokens = x.permute(0, 2, 3, 1)
        windows = split_windows(tokens, self.window)
        attended = self.attn(windows.reshape(len(windows), -1, c)).view(windows.shape)
        y = (tokens + join_windows(attended, h, w)).permute(0, 3, 1, 2)
        y = self.local_conv(y).permute(0, 2, 3, 1)
        return (y + self.mlp(y)).permute(0, 3, 1, 2)


class Stage(nn.Module):
    def __init__(self, config: TinyVitConfig, index: int) -> None:
        super().__init__()
        width, heads, window = config.widths[index], config.heads[index], config.windows[index]
        self.blocks = nn.ModuleList(
            ConvBlock(width) if index == 0 else AttentionBlock(width, heads, window) for _ in range(config.depths[index])
        )
        if index + 1 < len(config.widths):
            self.downsample = Merging(width, config.widths[index + 1], 2 if index + 2 < len(config.widths) else 1)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.downsample(x) if hasattr(self, "downsample") else x


class PatchEmbed(nn.Module):
    def __init__(self, kernel: int, width: int) -> None:
        super().__init__()
        stride = 2 if kernel == 3 else 1
        self.seq = nn.Sequential(ConvNorm(3, width // 2, kernel, stride), nn.GELU(), ConvNorm(width // 2, width, kernel, stride))

    def forward(self, images: Tensor) -> Tensor:
        return self.seq(images)


class TinyVit(nn.Module):
    def __init__(self, config: TinyVitConfig) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.patch_kernel, config.widths[0])
        self.layers = nn.ModuleList(Stage(config, i) for i in range(len(config.widths)))
        self.neck = nn.Sequential(
            nn.Conv2d(config.widths[-1], EMBED, 1, bias=False),
            LayerNorm2d(EMBED),
            nn.Conv2d(EMBED, EMBED, 3, padding=1, bias=False),
            LayerNorm2d(EMBED),
        )

    def forward(self, images: Tensor) -> Tensor:
        """[B, 3, S, S] normalised -> [B, 256, g, g]."""
        x = self.patch_embed(images)
        for layer in self.layers:
            x = layer(x)
        return self.neck(x)
