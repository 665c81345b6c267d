"""Trains sam-med2d-tiny the way SAM-Med2D was trained: one embedding, many prompts, then corrections.

    python train.py --real MINI TRAIN2 --pool POOL --out RUN --minutes 100
    python train.py … --resume                                       goes on where RUN stopped
    python train.py … --init ../sam-med2d-tiny.safetensors           starts from published weights

The network runs in bfloat16 (matrix units on GPUs and recent CPUs) on a rounded copy of single-precision weights.
RUN gets last.pt (weights, average, optimizer, progress) every few minutes and curve.csv.
"""
from __future__ import annotations

import argparse
import csv
import hashlib
import math
import multiprocessing
import os
import time
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dataset import S, Batches, load_real, normalise
from device_batches import DeviceBatches
from evaluate import PROMPTS, drawn_items, score_items
from losses import correct, jitter, judge, shrink
from master_weights import VECTORS, MasterWeights
from networks import NETWORKS, described, initialise, settle
from recorded import Recorded
from safetensors import load_safetensors
from speed import SamMed2D, quicken


def rounds_of(learned: bool, rng: np.random.Generator) -> int:
    """Corrections after the first answer: none while first answers are still poor, then up to eight, nine clicks in all."""
    if not learned:
        return 0
    return int(rng.choice(9, p=(0.3, 0.25, 0.15, 0.1, 0.08, 0.05, 0.03, 0.02, 0.02)))


def rate_of(progress: float, cool: float) -> float:
    """Share of the peak rate: level, then a half cosine down to a hundredth over the last `cool` of the schedule.

    While it is level the schedule may be made longer at no loss, so that a training goes on over many sessions.
    """
    left = min(1.0, max(0.0, 1 - progress) / cool)
    return 0.01 + 0.99 * 0.5 * (1 - math.cos(math.pi * left))


def train_step(
    model: SamMed2D,
    batch: Dict[str, Tensor],
    corrections: int,
    boxed: int,
    keep_box: Optional[bool],
    random: Optional[torch.Generator],
) -> Tensor:
    """Adds one batch's gradients. The first `boxed` prompts of a shuffle get a box, the others a point.

    Corrections go to the prompts that started with a point, and to the others only if `keep_box` says whether their
    box stays. Decoder rounds are differentiated one by one down to the embedding; the encoder once, with their sum.
    Returns the Dice (low-res, hard) of box prompts, of point prompts, and after each correction: [2 + corrections].
    Nothing waits for the device or hangs on a value, so that a GPU can record it (`recorded.py`).
    """
    device = batch["images"].device
    dtype = batch_type(model)
    grid, count = model.config.grid, len(batch["owner"])
    embedding = model.encode(normalise(batch["images"]).to(dtype))
    leaf = embedding.detach().permute(0, 2, 3, 1).flatten(1).requires_grad_()  # [B, grid grid 256]
    order = torch.rand(count, generator=random, device=device).argsort()
    masks = batch["masks"][order]
    # Each prompt's image as a product with rows of one 1: so is the sum of their gradients.
    owner = (batch["owner"][order][:, None] == torch.arange(len(leaf), device=device)).to(dtype)  # [P, B]
    boxes, points = jitter(batch["boxes"][order], random, S), batch["points"][order][:, None]
    labels = torch.ones(count, 1, dtype=torch.long, device=device)
    target, others = shrink(masks, 4 * grid), shrink(batch["others"][order], 4 * grid)
    decoder, prompts = model.mask_decoder, model.prompt_encoder
    pe = prompts.dense_pe(grid)

    def answer(
        part: slice,
        given: Optional[Tensor],
        kinds: Optional[Tensor],
        box: Optional[Tensor],
        previous: Optional[Tensor],
        weight: float,
    ) -> Tuple[Tensor, Tensor]:
        """Forward, loss and backward for some of the prompts -> low-res logits of the chosen masks, Dice."""
        some = part.stop - part.start
        sparse = prompts.sparse(some, S, given, kinds, box)
        image = (owner[part] @ leaf).view(some, grid, grid, -1).permute(0, 3, 1, 2)
        logits, scores = decoder(image + prompts.dense(some, grid, previous), pe, sparse)
        # One point may mean any mask it lies in; a box or a correction says which.
        meant = others[part] if box is None and previous is None else None
        outcome = judge(logits.float(), scores.float(), target[part], meant)
        (outcome.loss * (weight * some / count)).backward()
        return logits.detach()[torch.arange(some, device=device), outcome.chosen].float(), outcome.dice

    first, rest = slice(0, boxed), slice(boxed, count)
    by_box, dice_box = answer(first, None, None, boxes[first], None, 1.0)
    by_point, dice_point = answer(rest, points[rest], labels[rest], None, None, 1.0)
    dice = [dice_box, dice_point]
    chains = [(rest, by_point, points[rest], labels[rest], None)]
    if keep_box is not None:  # no click yet: the first one stands alone, or beside the box
        none = points.new_zeros(boxed, 0, 2), labels.new_zeros(boxed, 0)
        chains.append((first, by_box, *none, boxes[first] if keep_box else None))
    for turn in range(corrections):
        scored, going = [], []
        for part, current, given, kinds, box in chains:
            click, label = correct(current, target[part], masks[part], random)
            given, kinds = torch.cat([given, click], dim=1), torch.cat([kinds, label], dim=1)
            current, score = answer(part, given, kinds, box, current.sigmoid()[:, None].to(dtype), 0.6)
            going.append((part, current, given, kinds, box))
            scored.append(score * len(current))
        chains = going
        dice.append(sum(scored) / sum(len(current) for _, current, *_ in chains))
    embedding.backward(leaf.grad.view(len(leaf), grid, grid, -1).permute(0, 3, 1, 2))
    return torch.stack(dice)


def batch_type(model: SamMed2D) -> torch.dtype:
    return model.mask_decoder.iou_token.weight.dtype


def work(rank: int, options: argparse.Namespace, model: SamMed2D, masters: MasterWeights, spent: float) -> None:
    """The training loop of one process. Process 0 also saves, scores and reports."""
    seed = options.seed + 1000 * rank + int(masters.counts[0])  # after a stop: other pictures than before it
    torch.manual_seed(seed)
    random = torch.Generator(device=options.device).manual_seed(seed) if options.device == "cpu" else None
    rng = np.random.default_rng(seed)
    wanted = (load_real(options.real, "train"), options.pool, options.batch, options.prompts, options.share, seed)
    if options.device == "cpu":
        ahead = {"num_workers": options.workers, "prefetch_factor": 6} if options.workers else {}
        loader = iter(DataLoader(Batches(*wanted), batch_size=None, **ahead))
    else:
        loader = DeviceBatches(*wanted, options.device, options.room)
    held_out, drawn = load_real(options.real, "held_out")[:: options.sparse], drawn_items(options.drawn)
    curve, last = options.out / "curve.csv", options.out / "last.pt"
    if rank == 0 and not curve.exists():
        curve.write_text(
            "minutes,step,images,rate,train_box,train_point,train_corrected,"
            + ",".join(f"{k}_{p}" for k in ("real", "drawn") for p in PROMPTS)
            + "\n"
        )

    def save() -> None:
        state = {name: masters.named_values(getattr(masters, name)) for name in VECTORS}
        steps, images = masters.counts.tolist()
        torch.save(
            {
                **state,
                "buffers": {name: value for name, value in model.state_dict().items() if name not in state["weight"]},
                "step": steps,
                "spent": spent,
                "images": images,
                "config": described(options.network),
                "options": {k: str(v) for k, v in vars(options).items()},
                "from": hashlib.sha256(options.init.read_bytes()).hexdigest() if options.init else "",
            },
            last.with_suffix(".part"),
        )
        os.replace(last.with_suffix(".part"), last)

    boxed = round(options.boxes * options.batch * options.prompts)

    def step(batch: Dict[str, Tensor], corrections: int, keep_box: Optional[bool]) -> Tensor:
        return train_step(model, batch, corrections, boxed, keep_box, random)

    recent: List[Tensor] = []
    learned = bool(options.init) or spent > 0
    # On a CPU only minutes in which it worked count, so that a shared machine makes a schedule longer, not poorer.
    clock = time.process_time if options.device == "cpu" else time.time
    begun, next_save, next_line = clock() - spent * 60, spent + options.every, 0.0
    model.train()
    batch, done, turns, take = next(loader), None, 0, step
    while spent < options.minutes:
        progress = spent / options.minutes
        warm = min(1.0, (int(masters.counts[0]) + 1) / options.warmup)
        rate = options.rate * warm * rate_of(progress, options.cool)
        corrections, keep = rounds_of(learned or progress >= 0.03, rng), (None, None, None, True, False)[int(rng.integers(5))]
        if options.device != "cpu":
            if turns < 4:  # before a recording everything must have run once
                corrections, keep = 2, turns % 2 == 0
            elif turns == 4:
                take = Recorded(step, batch)
        turns += 1
        recent.append(take(batch, corrections, keep))
        norm = masters.step(rate, clip=1.0, images=options.batch, spent=(clock() - begun) / 60)
        spent = float(masters.clock)
        # A GPU still works while its next batch is made; it is never more than one step behind.
        before = done
        if options.device != "cpu":
            done = torch.cuda.current_stream().record_event()
        batch = next(loader)
        if before:
            before.synchronize()
        if rank > 0:
            recent.clear()
            continue
        steps, images = masters.counts.tolist()
        if spent >= next_line:
            next_line = spent + 0.5
            box, point = torch.stack([r[:2] for r in recent[-100:]]).mean(dim=0).tolist()
            print(
                f"{spent:7.2f} min  step {steps}  images {images}  box {box:.3f}  point {point:.3f}  norm {float(norm):.2f}",
                flush=True,
            )
        if spent >= next_save or spent >= options.minutes:
            next_save = spent + options.every
            box, point = torch.stack([r[:2] for r in recent]).mean(dim=0).tolist()
            corrected = [float(r[-1]) for r in recent if len(r) > 2]
            recent.clear()
            masters.show(masters.average)
            settle(model, [normalise(next(loader)["images"].to(options.device)).to(batch_type(model)) for _ in range(8)])
            model.eval()
            save()
            figures = []
            for items in (held_out, drawn):
                rows = score_items(model, items, seed=0)
                figures += [float(np.mean([r.dice[p] for r in rows])) if rows else float("nan") for p in PROMPTS]
            masters.show(masters.weight)
            model.train()
            with open(curve, "a", newline="") as file:
                csv.writer(file).writerow(
                    [
                        f"{spent:.1f}",
                        steps,
                        images,
                        f"{rate:.2e}",
                        f"{box:.4f}",
                        f"{point:.4f}",
                        f"{np.mean(corrected) if corrected else float('nan'):.4f}",
                        *(f"{f:.4f}" for f in figures),
                    ]
                )
            print("held-out real and drawn, box 1 3 5:", " ".join(f"{f:.3f}" for f in figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, nargs="+", required=True, help="folders of real images: mini, train2")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--network", choices=sorted(NETWORKS), default="vit192")
    parser.add_argument(
        "--minutes", type=float, default=100, help="length of the whole schedule: of the first process's work on a CPU, else by the clock"
    )
    parser.add_argument("--cool", type=float, default=0.3, help="share of the schedule in which the rate goes down")
    parser.add_argument("--batch", type=int, default=8, help="images a step, of each process")
    parser.add_argument("--prompts", type=int, default=5, help="prompts an image")
    parser.add_argument("--boxes", type=float, default=0.55, help="share of prompts that start with a box")
    parser.add_argument("--share", type=float, default=0.4, help="share of images that are real ones, not phantoms")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--warmup", type=int, default=300, help="steps")
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        help="on a CPU, one for each core: they wait for each other far less than threads do",
    )
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument(
        "--workers", type=int, default=0, help="that prepare images, for each process; 0 prepares them in turn"
    )
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--every", type=float, default=4, help="minutes between checkpoints")
    parser.add_argument("--sparse", type=int, default=4, help="the curve scores every n-th held-out image")
    parser.add_argument("--drawn", type=int, default=24, help="phantoms that the curve scores")
    parser.add_argument("--room", type=int, default=20000, help="phantoms held at most on a GPU, some 0.4 MB each")
    parser.add_argument("--init", type=Path, help="safetensors to start from")
    parser.add_argument("--decoder", type=Path, help="safetensors whose prompt encoder and decoder to start from")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    if options.device != "cpu" and options.processes > 1:
        parser.error("--processes is for CPUs")
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    quicken()

    model = SamMed2D(NETWORKS[options.network])
    initialise(model)
    if options.init:
        counters = [name for name in model.state_dict() if name.endswith("num_batches_tracked")]  # which no file has
        model.load_state_dict({**{k: v.float() for k, v in load_safetensors(options.init).items()}, **{k: torch.zeros(()) for k in counters}})
    if options.decoder:
        given = load_safetensors(options.decoder)
        model.load_state_dict({k: v.float() for k, v in given.items() if not k.startswith("image_encoder.")}, strict=False)
    last, spent, saved = options.out / "last.pt", 0.0, None
    if options.resume and last.exists():
        saved = torch.load(last, map_location="cpu")
        spent = saved["spent"]
        model.load_state_dict(saved["buffers"], strict=False)
    model.to(options.device)
    masters = MasterWeights(
        model, torch.bfloat16 if options.precision == "bf16" else torch.float32, options.decay, options.processes
    )
    if saved:
        for name in VECTORS:
            masters.fill(getattr(masters, name), saved[name])
        masters.counts.copy_(torch.tensor([saved["step"], saved["images"]]))
        masters.show(masters.weight)

    def follow(rank: int) -> None:
        masters.attach(rank)
        work(rank, options, model, masters, spent)

    if options.device != "cpu":
        torch.cuda.set_stream(torch.cuda.Stream())  # the default one can't be recorded
    helpers = [
        multiprocessing.get_context("fork").Process(target=follow, args=(rank,), daemon=True)
        for rank in range(1, options.processes)
    ]
    for helper in helpers:
        helper.start()
    work(0, options, model, masters, spent)


if __name__ == "__main__":
    main()
