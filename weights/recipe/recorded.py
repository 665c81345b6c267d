"""Training steps recorded as CUDA graphs: some five thousand small operations each, for which a GPU otherwise waits a quarter of its time."""
from __future__ import annotations

from typing import Callable, Dict, Optional, Tuple

import torch
from torch import Tensor

Step = Callable[[Dict[str, Tensor], int, Optional[bool]], Tensor]


class Recorded:
    """`step(batch, corrections, keep_box)`, recorded at each new pair of corrections and keep_box and then replayed.

    Every batch has the shapes of the first. A step must not wait for the device; what it draws at random comes from
    the device's default generator, whose state a replay moves on. It adds gradients to tensors that stay where they are.
    """

    def __init__(self, step: Step, first: Dict[str, Tensor]) -> None:
        self.step = step
        self.batch = {name: value.clone() for name, value in first.items()}
        self.pool = torch.cuda.graph_pool_handle()  # one for all: nothing in it outlives its replay but the results
        self.graphs: Dict[Tuple[int, Optional[bool]], Tuple[torch.cuda.CUDAGraph, Tensor]] = {}

    def __call__(self, batch: Dict[str, Tensor], corrections: int, keep_box: Optional[bool]) -> Tensor:
        for name, value in batch.items():
            self.batch[name].copy_(value)
        kind = (corrections, keep_box if corrections else None)
        if kind not in self.graphs:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self.pool, stream=torch.cuda.current_stream()):
                result = self.step(self.batch, *kind)
            self.graphs[kind] = graph, result
        graph, result = self.graphs[kind]
        graph.replay()
        return result.clone()
