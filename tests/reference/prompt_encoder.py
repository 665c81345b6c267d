"""The prompt encoder: points, boxes and masks become tokens and a dense map. Letters: see sam_med2d.py."""

from __future__ import annotations

import math
from typing import Optional

import torch
import torch.nn as nn
from torch import Tensor

from config import EMBED, MASK_CHANNELS
from layers import LayerNorm2d


class PositionEmbedding(nn.Module):
    """Random Fourier features of a position in the unit square."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, EMBED // 2))

    def forward(self, unit: Tensor) -> Tensor:
        """[..., 2] as (x, y) in [0, 1] -> [..., 256]."""
        z = 2 * math.pi * ((2 * unit - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([z.sin(), z.cos()], dim=-1)


class PromptEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pe_layer = PositionEmbedding()
        # Rows added to a position: background point, foreground point, top-left and bottom-right corner.
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, EMBED) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, EMBED)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, MASK_CHANNELS // 4, 2, stride=2),
            LayerNorm2d(MASK_CHANNELS // 4),
            nn.GELU(),
            nn.Conv2d(MASK_CHANNELS // 4, MASK_CHANNELS, 2, stride=2),
            LayerNorm2d(MASK_CHANNELS),
            nn.GELU(),
            nn.Conv2d(MASK_CHANNELS, EMBED, 1),
        )
        self.no_mask_embed = nn.Embedding(1, EMBED)

    def dense_pe(self, grid: int) -> Tensor:
        """Position of every cell centre of the embedding grid: [1, 256, grid, grid]."""
        like = self.no_mask_embed.weight
        centre = (torch.arange(grid, device=like.device, dtype=like.dtype) + 0.5) / grid
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        return self.pe_layer(torch.stack([x, y], dim=-1)).permute(2, 0, 1)[None]

    def embed_points(self, points: Tensor, labels: Tensor, image_size: int) -> Tensor:
        """points [P, N, 2] in model pixels, labels [P, N] of 1, 0 or -1 (no point) -> [P, N, 256]."""
        rows = [self.not_a_point_embed, self.point_embeddings[0], self.point_embeddings[1]]
        kinds = torch.cat([row.weight for row in rows])[labels.long() + 1]
        position = self.pe_layer((points + 0.5) / image_size)
        return position * (labels != -1).unsqueeze(-1) + kinds

    def embed_boxes(self, boxes: Tensor, image_size: int) -> Tensor:
        """boxes [P, 4] as (x0, y0, x1, y1) in model pixels -> [P, 2, 256]."""
        corners = torch.cat([self.point_embeddings[2].weight, self.point_embeddings[3].weight])
        return self.pe_layer((boxes.view(-1, 2, 2) + 0.5) / image_size) + corners

    def sparse(
        self, prompts: int, image_size: int, points: Optional[Tensor], labels: Optional[Tensor], boxes: Optional[Tensor]
    ) -> Tensor:
        """Points, then box corners: [P, N, 256]. N is 0 where there is neither."""
        tokens = [self.no_mask_embed.weight.new_zeros(prompts, 0, EMBED)]
        if points is not None and labels is not None:
            if boxes is None:  # a lone point set ends in one padding point; a box takes its place
                points = torch.cat([points, points.new_zeros(prompts, 1, 2)], dim=1)
                labels = torch.cat([labels, labels.new_full((prompts, 1), -1)], dim=1)
            tokens.append(self.embed_points(points, labels, image_size))
        if boxes is not None:
            tokens.append(self.embed_boxes(boxes, image_size))
        return torch.cat(tokens, dim=1)

    def dense(self, prompts: int, grid: int, mask_input: Optional[Tensor]) -> Tensor:
        """mask_input [P, 1, 4g, 4g], probabilities -> [P, 256, g, g]."""
        if mask_input is not None:
            return self.mask_downscaling(mask_input)
        return self.no_mask_embed.weight.view(1, EMBED, 1, 1).expand(prompts, EMBED, grid, grid)
