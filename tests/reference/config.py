"""What differs between checkpoints, and the few widths that never do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Tuple

from torch import Tensor

EMBED = 256  # channels of the image embedding and width of every prompt token
DECODER_HEADS = 8
DECODER_DEPTH = 2
DECODER_MLP = 2048
MASK_TOKENS = 4  # mask 0 answers alone, masks 1..3 answer together
MASK_CHANNELS = 16  # width of the mask prompt before it reaches EMBED


@dataclass(frozen=True)
class Config:
    """Everything that differs between checkpoints. All of it can be read off tensor shapes."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    image_size: int = 256
    patch: int = 16
    window: int = 14
    global_blocks: Tuple[int, ...] = (2, 5, 8, 11)
    adapter: bool = True
    mlp: int = 0  # hidden width of a block's MLP; 0: four times the width

    @property
    def grid(self) -> int:
        return self.image_size // self.patch

    @staticmethod
    def from_state_dict(state: Mapping[str, Tensor]) -> "Config":
        """Where grid == window the two kinds of block are one computation, at that size, and all are called global."""
        width, _, patch, _ = state["image_encoder.patch_embed.proj.weight"].shape
        grid = state["image_encoder.pos_embed"].shape[1]
        depth = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("image_encoder.blocks."))
        tables = [state[f"image_encoder.blocks.{i}.attn.rel_pos_h"].shape for i in range(depth)]
        windowed = [length for length, _ in tables if length != 2 * grid - 1]
        return Config(
            width=width,
            depth=depth,
            heads=width // tables[0][1],
            image_size=grid * patch,
            patch=patch,
            window=(windowed[0] + 1) // 2 if windowed else 14,
            global_blocks=tuple(i for i, (length, _) in enumerate(tables) if length == 2 * grid - 1),
            adapter=any(".Adapter." in name for name in state),
            mlp=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0],
        )


VIT_B = Config()
VIT_L = Config(width=1024, depth=24, heads=16, global_blocks=(5, 11, 17, 23))
VIT_H = Config(width=1280, depth=32, heads=16, global_blocks=(7, 15, 23, 31))
