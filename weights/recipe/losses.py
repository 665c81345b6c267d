"""What is minimised, and where the next click goes. P prompts, M = 4 masks a prompt, L low-res side."""
from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

FOCAL, DICE, EDGE = 20.0, 1.0, 2.0
SINGLE = 0.25  # weight of mask 0, which answers alone
LOSERS = 0.1  # weight of the mean of masks 1..3, so that one that never wins still stays usable
OTHERS = 0.3  # weight of the other masks a lone point may mean: part and whole with surroundings, each by its best mask
PICK = 0.1  # weight of picking: the scores' order, beside their values
SHARPNESS = 10.0  # a tenth of IoU between two masks is a factor of e in how clearly one is to be picked


class Outcome(NamedTuple):
    loss: Tensor  # scalar
    dice: Tensor  # scalar, of the masks chosen by predicted score, hard, at low resolution
    chosen: Tensor  # [P] in 1..3, the mask of highest predicted score


def shrink(masks: Tensor, side: int) -> Tensor:
    """uint8 [..., S, S] -> share of each low-res cell inside the mask, float32 [..., side, side]."""
    return F.avg_pool2d(masks.float(), masks.shape[-1] // side)


def unlike(logits: Tensor, target: Tensor) -> Tensor:
    """How unlike each mask [P, M, L, L] is to target [P, L, L] in 0..1 -> [P, M]."""
    target = target[:, None]
    p = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none")
    # The focal factor with a soft target: how far off the answer is. The minimum stays at p = target.
    focal = (entropy * (p.detach() - target).square()).mean(dim=(2, 3))
    inter, power = (p * target).sum(dim=(2, 3)), (p * p).sum(dim=(2, 3)) + (target * target).sum(dim=(2, 3))
    return FOCAL * focal + DICE * (1 - (2 * inter + 1) / (power + 1)) + EDGE * ragged(p, target)


def ragged(p: Tensor, target: Tensor) -> Tensor:
    """Steps between neighbours that the target has not, and missing ones: speckle and ragged borders. -> [P, M]

    By the length of the target's border and then by the side: a long smooth border is not blurred to save steps.
    """
    across = ((p.diff(dim=3) - target.diff(dim=3)).abs()).sum(dim=(2, 3))
    down = ((p.diff(dim=2) - target.diff(dim=2)).abs()).sum(dim=(2, 3))
    border = target.diff(dim=3).abs().sum(dim=(2, 3)) + target.diff(dim=2).abs().sum(dim=(2, 3))
    return 0.05 * (across + down) / (border + target.shape[-1] / 4)


def judge(logits: Tensor, scores: Tensor, target: Tensor, others: Optional[Tensor] = None) -> Outcome:
    """logits float32 [P, 4, L, L], scores [P, 4], target in 0..1 [P, L, L], others [P, 2, L, L], zero where there is none."""
    losses = unlike(logits, target)  # [P, 4]
    with torch.no_grad():
        hard, truth = logits > 0, target[:, None] > 0.5
        both = (hard & truth).sum(dim=(2, 3)).float()
        sizes = hard.sum(dim=(2, 3)).float() + truth.sum(dim=(2, 3)).float()
        iou = (both + 1e-3) / (sizes - both + 1e-3)
        chosen = scores[:, 1:].argmax(dim=1) + 1
        dice = (2 * both + 1e-3) / (sizes + 1e-3)
        dice = dice.gather(1, chosen[:, None]).mean()
    mask_loss = losses[:, 1:].min(dim=1).values + LOSERS * losses[:, 1:].mean(dim=1) + SINGLE * losses[:, 0]
    if others is not None:
        # Few prompts lie in other masks: room for a quarter of all, so that nothing here depends on how many do.
        there = others.flatten(2).any(dim=2).flatten().float()  # [2 P]
        some = there.topk(len(there) // 4).indices
        best = unlike(logits[some // 2, 1:], others.flatten(0, 1)[some]).min(dim=1).values
        mask_loss = mask_loss.index_add(0, some // 2, OTHERS * best * there[some])
    order = F.kl_div(
        F.log_softmax(SHARPNESS * scores[:, 1:], dim=1), F.softmax(SHARPNESS * iou[:, 1:], dim=1), reduction="none"
    ).sum(dim=1)
    score_loss = (scores - iou).square().mean(dim=1) + PICK * order
    return Outcome((mask_loss + score_loss).mean(), dice, chosen)


def correct(chosen: Tensor, target: Tensor, masks: Tensor, random: Optional[torch.Generator]) -> Tuple[Tensor, Tensor]:
    """One click per prompt, drawn from where the answer is wrong.

    chosen [P, L, L] logits, target [P, L, L] in 0..1, masks uint8 [P, S, S]
    -> points [P, 1, 2] as (x, y) in model pixels, labels [P, 1]: 1 missed, 0 wrongly marked, -1 no error.
    """
    prompts, side = chosen.shape[0], chosen.shape[-1]
    wrong = ((chosen > 0) != (target > 0.5)).flatten(1)
    draw = torch.rand(wrong.shape, generator=random, device=wrong.device)
    cell = (draw + wrong).argmax(dim=1)  # a wrong cell if there is one, else any
    scale = masks.shape[-1] // side
    within = torch.randint(0, scale, (2, prompts), generator=random, device=wrong.device)
    x, y = (cell % side) * scale + within[0], cell // side * scale + within[1]
    labels = masks[torch.arange(prompts, device=wrong.device), y, x].long()
    labels = torch.where(wrong.any(dim=1), labels, torch.full_like(labels, -1))
    return torch.stack([x, y], dim=1).float()[:, None], labels[:, None]


def jitter(boxes: Tensor, random: Optional[torch.Generator], side: int) -> Tensor:
    """Corners moved as an unsteady hand moves them: up to a tenth of the box and 5 pixels. [P, 4] -> [P, 4]."""
    size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    reach = torch.clamp(0.1 * size, max=5.0)
    steady = torch.rand((len(boxes), 1), generator=random, device=boxes.device) < 0.25
    move = (2 * torch.rand(boxes.shape, generator=random, device=boxes.device) - 1) * reach
    return (boxes + torch.where(steady, torch.zeros_like(move), move)).clamp(0, side)
