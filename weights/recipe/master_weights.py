"""The weights while they train: single precision, in flat vectors that several processes share."""
from __future__ import annotations

import math
import multiprocessing
from typing import Dict, Tuple, Union

import torch
import torch.nn as nn
from torch import Tensor

VECTORS = ("weight", "average", "mean", "square")
PIECE = 1 << 17  # elements of the flat vectors updated at a time, on a CPU


class MasterWeights:
    """Single-precision weights, their average and AdamW's moments as flat vectors; the network holds a rounded copy.

    The vectors are in shared memory. With several processes each computes gradients of its own images, then each
    updates its share of the vectors from the mean of all gradients. They stay in step: processes that update
    whenever they are ready, each with a gradient one step old, were seen to lose what boxes had taught.
    """

    def __init__(self, model: nn.Module, dtype: torch.dtype, decay: float, processes: int = 1) -> None:
        # Odd sizes last: a matrix that begins between 16 bytes is multiplied by slower kernels.
        self.named = sorted(model.named_parameters(), key=lambda named: named[1].numel() % 8 > 0)
        self.weight = torch.cat([p.detach().float().flatten() for _, p in self.named])
        self.average, self.mean = self.weight.clone(), torch.zeros_like(self.weight)
        self.square = torch.zeros_like(self.weight)
        matrices = [p.ndim > 1 and "embed" not in n and "token" not in n for n, p in self.named]
        self.decay = torch.cat([torch.full((p.numel(),), decay * m) for m, (_, p) in zip(matrices, self.named)]).to(
            self.weight.device
        )
        self.grads = [torch.zeros_like(self.weight, dtype=dtype) for _ in range(processes)]
        self.counts = torch.zeros(2, dtype=torch.long)  # steps, images
        self.powers = torch.zeros(processes, dtype=torch.float64)  # squared norm of each share of the gradient
        self.clock = torch.zeros(1, dtype=torch.float64)  # minutes spent, as process 0 has it
        if processes > 1:
            for vector in (
                self.weight,
                self.average,
                self.mean,
                self.square,
                self.counts,
                self.powers,
                self.clock,
                *self.grads,
            ):
                vector.share_memory_()
        self.barrier = multiprocessing.get_context("fork").Barrier(processes)
        self.attach(0)

    def attach(self, rank: int) -> None:
        """Gives the network of process `rank` its own copy of the weights, and its room for gradients."""
        self.rank, self.grad = rank, self.grads[rank]
        self.copy = self.weight.to(self.grad.dtype, copy=True)
        start = 0
        for _, p in self.named:
            size, shape = p.numel(), p.shape
            p.data, p.grad = self.copy[start : start + size].view(shape), self.grad[start : start + size].view(shape)
            start += size

    def show(self, values: Tensor) -> None:
        """Puts these values, weights or average, into the network."""
        self.copy.copy_(values)

    def step(
        self,
        rate: float,
        clip: float,
        images: int,
        spent: float,
        betas: Tuple[float, float] = (0.9, 0.98),
        every: int = 4,
    ) -> Union[float, Tensor]:
        """One AdamW step from the gradients of all processes, which are cleared. Returns their norm before clipping."""
        if self.weight.device.type != "cpu":
            self.clock[0] = spent
            return self.step_on_device(rate, clip, images, betas, every)
        processes = len(self.grads)
        # In pieces that stay in the processor's cache: a dozen passes over 13 M numbers are slow from memory.
        share = -(-len(self.weight) // processes)
        last = min(len(self.weight), share * (self.rank + 1))
        parts = [slice(i, min(i + PIECE, last)) for i in range(share * self.rank, last, PIECE)]

        def gradient(part: slice) -> Tensor:
            return sum(grad[part].float() for grad in self.grads) / processes

        self.barrier.wait()  # all gradients are there
        if self.rank == 0:
            self.clock[0] = spent
        self.powers[self.rank] = sum(float(gradient(part).square().sum()) for part in parts)
        self.barrier.wait()  # all shares are measured
        norm = math.sqrt(float(self.powers.sum()))
        if math.isfinite(norm):
            shrink = min(1.0, clip / (norm + 1e-6))
            for part in parts:
                self.update(part, gradient(part) * shrink, rate, betas, every)
        self.barrier.wait()  # all shares are updated, and everybody has read the count
        if self.rank == 0 and math.isfinite(norm):
            self.counts += torch.tensor([1, images * processes])
        self.grad.zero_()
        self.copy.copy_(self.weight)
        return norm

    def update(self, part: slice, grad: Tensor, rate: float, betas: Tuple[float, float], every: int) -> None:
        """AdamW on a part of the vectors, and of every `every` steps their average."""
        count = int(self.counts[0]) + 1
        weight, mean, square = self.weight[part], self.mean[part], self.square[part]
        pace = rate * math.sqrt(1 - betas[1] ** count) / (1 - betas[0] ** count)
        mean.lerp_(grad, 1 - betas[0])
        square.mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
        weight.addcmul_(weight, self.decay[part], value=-rate)
        weight.addcdiv_(mean, square.sqrt().add_(1e-8), value=-pace)
        if count % every == 0:
            keep = min(0.9985, count / (count + 20)) ** every
            self.average[part].lerp_(weight, 1 - keep)

    def step_on_device(self, rate: float, clip: float, images: int, betas: Tuple[float, float], every: int) -> Tensor:
        """`step` of one process without waiting for the device: a gradient that is not finite counts as none."""
        grad = self.grad.float()
        norm = grad.norm()
        grad = torch.where(norm.isfinite(), grad * (clip / (norm + 1e-6)).clamp(max=1.0), 0.0)
        self.update(slice(None), grad, rate, betas, every)
        self.counts += torch.tensor([1, images])
        self.grad.zero_()
        self.copy.copy_(self.weight)
        return norm

    def named_values(self, values: Tensor) -> Dict[str, Tensor]:
        """A flat vector cut back into named tensors."""
        cuts = values.split([p.numel() for _, p in self.named])
        return {name: cut.view(p.shape).clone() for (name, p), cut in zip(self.named, cuts)}

    def fill(self, vector: Tensor, values: Dict[str, Tensor]) -> None:
        vector.copy_(torch.cat([values[name].float().flatten() for name, _ in self.named]).to(vector.device))
