"""SAM-Med2D in PyTorch: the oracle the WGSL network is measured against, and the network that is trained.

Module and parameter names are those of the published checkpoints, so `load_state_dict` takes one as it is.
Nothing here is tuned for speed; every line is meant to be read beside its formula.

Letters: B images, P prompts, N points or tokens, C encoder width, H W sides of a token grid, S image side
in pixels, g = S / patch, K window or grid side, d head width.

    model = SamMed2D(VIT_B)
    embedding = model.encode(images)                          # [B, 3, S, S] -> [B, 256, g, g]
    logits, scores = model.decode(embedding, boxes=boxes)     # [P, 3, 4g, 4g], [P, 3]

Parameters are shaped for `Config.image_size`. Images of another side S work too: the position tables are
resized on the way, which is how a checkpoint of the 1024-pixel original runs at 256.

Runs on PyTorch 1.13 and 2.x.
"""

from __future__ import annotations

from typing import Mapping, Optional, Tuple, Union

import torch.nn as nn
from torch import Tensor

from config import VIT_B, VIT_H, VIT_L, Config
from image_encoder import ImageEncoder
from mask_decoder import MaskDecoder
from prompt_encoder import PromptEncoder
from tiny_vit import TinyVit, TinyVitConfig

__all__ = ["Config", "SamMed2D", "VIT_B", "VIT_H", "VIT_L"]


class SamMed2D(nn.Module):
    def __init__(self, config: Union[Config, TinyVitConfig] = VIT_B) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = TinyVit(config) if isinstance(config, TinyVitConfig) else ImageEncoder(config)
        self.prompt_encoder = PromptEncoder()
        self.mask_decoder = MaskDecoder()

    @staticmethod
    def from_state_dict(state: Mapping[str, Tensor]) -> "SamMed2D":
        """The network a checkpoint's tensors describe, with those tensors in it."""
        model = SamMed2D(Config.from_state_dict(state))
        model.load_state_dict(state)
        return model

    def encode(self, images: Tensor) -> Tensor:
        """images [B, 3, S, S], normalised -> embedding [B, 256, g, g]."""
        return self.image_encoder(images)

    def decode(
        self,
        embedding: Tensor,
        points: Optional[Tensor] = None,
        labels: Optional[Tensor] = None,
        boxes: Optional[Tensor] = None,
        mask_input: Optional[Tensor] = None,
        multimask: bool = True,
    ) -> Tuple[Tensor, Tensor]:
        """Masks for P prompts.

        embedding   [1, 256, g, g], shared by all prompts, or [P, 256, g, g], one for each
        points      [P, N, 2] as (x, y) in model pixels; labels [P, N]: 1 in, 0 out, -1 no point
        boxes       [P, 4] as (x0, y0, x1, y1) in model pixels
        mask_input  [P, 1, 4g, 4g], probabilities: the sigmoid of earlier low-res logits
        multimask   masks 1..3, or mask 0 alone

        -> low-res logits [P, 3 or 1, 4g, 4g], scores [P, 3 or 1]. No prompt at all is one prompt per embedding.
        """
        grid = embedding.shape[-1]
        given = [prompt for prompt in (points, boxes, mask_input) if prompt is not None]
        prompts = given[0].shape[0] if given else embedding.shape[0]
        sparse = self.prompt_encoder.sparse(prompts, grid * self.config.patch, points, labels, boxes)
        image = embedding + self.prompt_encoder.dense(prompts, grid, mask_input)
        logits, scores = self.mask_decoder(image, self.prompt_encoder.dense_pe(grid), sparse)
        chosen = slice(1, None) if multimask else slice(0, 1)
        return logits[:, chosen], scores[:, chosen]
