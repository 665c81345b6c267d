"""The mask decoder: a two-way transformer between tokens and image, then masks and scores. Letters: sam_med2d.py."""

from __future__ import annotations

import math
from typing import Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from config import DECODER_DEPTH, DECODER_HEADS, DECODER_MLP, EMBED, MASK_TOKENS
from layers import LayerNorm2d, MLPBlock


class Attention(nn.Module):
    """Attention between two token sets, inside an inner width."""

    def __init__(self, inner: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(EMBED, inner)
        self.k_proj = nn.Linear(EMBED, inner)
        self.v_proj = nn.Linear(EMBED, inner)
        self.out_proj = nn.Linear(inner, EMBED)

    @staticmethod
    def heads(x: Tensor) -> Tensor:
        """[P, N, inner] -> [P, heads, N, d]."""
        return x.view(*x.shape[:2], DECODER_HEADS, -1).transpose(1, 2)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q [P, Nq, 256], k and v [P, Nk, 256] -> [P, Nq, 256]."""
        q, k, v = self.heads(self.q_proj(q)), self.heads(self.k_proj(k)), self.heads(self.v_proj(v))
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(dim=-1)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2))


class TwoWayLayer(nn.Module):
    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = Attention(EMBED)
        self.norm1 = nn.LayerNorm(EMBED)
        self.cross_attn_token_to_image = Attention(EMBED // 2)
        self.norm2 = nn.LayerNorm(EMBED)
        self.mlp = MLPBlock(EMBED, DECODER_MLP, nn.ReLU())
        self.norm3 = nn.LayerNorm(EMBED)
        self.cross_attn_image_to_token = Attention(EMBED // 2)
        self.norm4 = nn.LayerNorm(EMBED)

    def forward(self, tokens: Tensor, image: Tensor, token_pe: Tensor, image_pe: Tensor) -> Tuple[Tensor, Tensor]:
        """tokens, token_pe [P, N, 256]; image [P, T, 256]; image_pe [1, T, 256] -> tokens, image."""
        if self.first:  # the tokens are still their own position: nothing to add, nothing to keep
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            q = tokens + token_pe
            tokens = tokens + self.self_attn(q, q, tokens)
        tokens = self.norm1(tokens)
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_pe, image + image_pe, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(image + image_pe, tokens + token_pe, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayLayer(first=i == 0) for i in range(DECODER_DEPTH))
        self.final_attn_token_to_image = Attention(EMBED // 2)
        self.norm_final_attn = nn.LayerNorm(EMBED)

    def forward(self, tokens: Tensor, image: Tensor, image_pe: Tensor) -> Tuple[Tensor, Tensor]:
        """tokens [P, N, 256], image [P, T, 256], image_pe [1, T, 256] -> tokens, image.

        The tokens that come in are their own positional encoding, output tokens included.
        """
        token_pe = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, token_pe, image_pe)
        attended = self.final_attn_token_to_image(tokens + token_pe, image + image_pe, image)
        return self.norm_final_attn(tokens + attended), image


class MLP(nn.Module):
    """Three linear layers with ReLU between."""

    def __init__(self, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(EMBED, EMBED), nn.Linear(EMBED, EMBED), nn.Linear(EMBED, out)])

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.layers
        return last(F.relu(second(F.relu(first(x)))))


class MaskDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.transformer = TwoWayTransformer()
        self.iou_token = nn.Embedding(1, EMBED)
        self.mask_tokens = nn.Embedding(MASK_TOKENS, EMBED)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(EMBED, EMBED // 4, 2, stride=2),
            LayerNorm2d(EMBED // 4),
            nn.GELU(),
            nn.ConvTranspose2d(EMBED // 4, EMBED // 8, 2, stride=2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(MLP(EMBED // 8) for _ in range(MASK_TOKENS))
        self.iou_prediction_head = MLP(MASK_TOKENS)

    def forward(self, image: Tensor, image_pe: Tensor, sparse: Tensor) -> Tuple[Tensor, Tensor]:
        """image [P, 256, g, g] (embedding + dense prompt), image_pe [1, 256, g, g], sparse [P, N, 256]
        -> low-res logits [P, 4, 4g, 4g], scores [P, 4]."""
        prompts, _, g, _ = image.shape
        output = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(prompts, -1, -1)
        tokens, seen = self.transformer(
            torch.cat([output, sparse], dim=1), image.flatten(2).transpose(1, 2), image_pe.flatten(2).transpose(1, 2)
        )
        upscaled = self.output_upscaling(seen.transpose(1, 2).reshape(prompts, EMBED, g, g))  # [P, 32, 4g, 4g]
        hyper = torch.stack([mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1)
        return torch.einsum("pmc,pcyx->pmyx", hyper, upscaled), self.iou_prediction_head(tokens[:, 0])
