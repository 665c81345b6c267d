"""Writes tests/goldens/*.safetensors. Run by hand when the reference changes; no test ever runs it.

    python3 make_goldens.py              every file
    python3 make_goldens.py small vit_b  these

Weights are the synthetic checkpoint, images the procedural image, so a golden holds only what must be compared.
Everything is computed in double precision from single-precision inputs and rounded once at the end: the goldens
are the true values, not one library's rounding, and do not change with threads or versions.
"""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

import safetensors_io
from postprocess import best_mask, binary, upscale, upscale_probabilities
from preprocess import Placement, nearest_indices, preprocess
from procedural_image import procedural_image
from sam_med2d import VIT_B, VIT_H, VIT_L, Config, SamMed2D
from synthetic import synthetic_state
from tiny_vit import LITE_MEDSAM, MOBILE_SAM, TinyVitConfig

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"

Arrays = Dict[str, np.ndarray]
Steps = Tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One call of decode. Prompts are in original pixels; a mask prompt is the answer to case "point"."""

    points: Optional[np.ndarray] = None  # [P, N, 2]
    labels: Optional[np.ndarray] = None  # [P, N]
    boxes: Optional[np.ndarray] = None  # [P, 4]
    mask: bool = False
    multimask: bool = True


@dataclass(frozen=True)
class Golden:
    """One file: one network, one image, some prompts."""

    config: Union[Config, TinyVitConfig]
    seed: int
    image: Tuple[int, int]  # width, height
    size: Optional[int] = None  # image side the network runs at, where it is not the checkpoint's own
    fit: str = "resize"
    order: str = "bgr"
    input: Optional[str] = None  # "medsam" or "lite-medsam": brought in, and out, as their own code does
    cases: Tuple[str, ...] = ("point", "box")
    trace: bool = False  # keep every stage
    # Keep every n-th element along each axis of these outputs.
    embedding_step: Steps = (1, 1, 1, 1)
    logits_step: Steps = (1, 1, 1, 1)
    masks: bool = False  # keep masks at original size

    @property
    def side(self) -> int:
        return self.size or self.config.image_size


SMALL = Config(width=64, depth=3, heads=2, global_blocks=(1,))
NARROW = TinyVitConfig(widths=(8, 16, 24, 40), depths=(1, 2, 2, 1), heads=(0, 2, 3, 5), image_size=400)
PLAIN_VIT_B_1024 = replace(VIT_B, image_size=1024, adapter=False)
ALL_CASES = (
    "point",
    "points",
    "no_point",
    "box",
    "box_point",
    "mask",
    "mask_point",
    "all",
    "none",
    "single",
    "batch_points",
    "batch_boxes",
)

FILES: Dict[str, Golden] = {
    "small": Golden(SMALL, 3, (96, 72), cases=ALL_CASES, trace=True, masks=True),
    "small_no_adapter": Golden(replace(SMALL, adapter=False), 3, (96, 72)),
    # A grid smaller than the window: one window, mostly padding.
    "small_grid8": Golden(Config(48, 2, 3, image_size=128, global_blocks=(1,)), 3, (96, 72)),
    # Another patch and window, and a grid that is no multiple of the window: 20 x 20 in nine windows of 7 x 7.
    "small_patch8": Golden(Config(32, 3, 1, image_size=160, patch=8, window=7, global_blocks=(0, 2)), 3, (96, 72)),
    # Position tables stretched and shrunk.
    "small_256_at_384": Golden(SMALL, 3, (96, 72), size=384, embedding_step=(1, 2, 1, 1)),
    "small_1024_at_256": Golden(replace(SMALL, image_size=1024, adapter=False), 3, (96, 72), size=256),
    # Depth, heads and global blocks of the larger variants, with heads of width 8.
    "narrow_vit_l": Golden(replace(VIT_L, width=VIT_L.heads * 8), 7, (96, 72)),
    "narrow_vit_h": Golden(replace(VIT_H, width=VIT_H.heads * 8), 7, (96, 72)),
    # Pruned as SlimSAM: heads of 14 and an MLP of an odd width, at the original's size.
    "narrow_slim": Golden(
        Config(width=28, depth=3, heads=2, image_size=1024, global_blocks=(1,), adapter=False, mlp=45),
        3,
        (320, 240),
        fit="longest",
        order="rgb",
        embedding_step=(1, 2, 4, 4),
        logits_step=(1, 1, 4, 4),
        masks=True,
    ),
    # Sides 100, 50, 25, 25: every stage has windows that are padded.
    "narrow_tiny_vit": Golden(NARROW, 3, (400, 300), fit="longest", order="rgb", embedding_step=(1, 2, 1, 1)),
    "narrow_tiny_vit_pixels": Golden(
        replace(NARROW, patch_kernel=1, image_size=80),
        3,
        (80, 60),
        fit="longest",
        order="rgb",
        input="lite-medsam",
        cases=("single_box",),
        masks=True,
    ),
    # Stretched by splines, scaled by its own range, probabilities resized.
    "small_medsam": Golden(
        replace(SMALL, adapter=False), 3, (96, 372), order="rgb", input="medsam", cases=("single_box",), masks=True
    ),
    "mobile_sam": Golden(
        MOBILE_SAM,
        7,
        (1024, 768),
        fit="longest",
        order="rgb",
        cases=("point",),
        embedding_step=(1, 1, 4, 4),
        logits_step=(1, 1, 4, 4),
        masks=True,
    ),
    "lite_medsam": Golden(
        LITE_MEDSAM,
        7,
        (300, 200),
        fit="longest",
        order="rgb",
        input="lite-medsam",
        cases=("single_box",),
        embedding_step=(1, 1, 4, 4),
        logits_step=(1, 1, 2, 2),
        masks=True,
    ),
    "vit_b": Golden(VIT_B, 7, (300, 200), cases=ALL_CASES, masks=True),
    "vit_b_rgb": Golden(VIT_B, 7, (300, 200), order="rgb", embedding_step=(1, 4, 2, 2), masks=True),
    "vit_b_pad": Golden(VIT_B, 7, (180, 120), fit="pad", embedding_step=(1, 2, 1, 1), masks=True),
    "vit_b_no_adapter": Golden(replace(VIT_B, adapter=False), 7, (300, 200), embedding_step=(1, 4, 1, 1)),
    "vit_b_512": Golden(VIT_B, 7, (300, 200), size=512, embedding_step=(1, 4, 2, 2), logits_step=(1, 1, 2, 2)),
    "vit_b_1024": Golden(
        PLAIN_VIT_B_1024,
        7,
        (1024, 768),
        fit="longest",
        cases=("point",),
        embedding_step=(1, 1, 4, 4),
        logits_step=(1, 1, 4, 4),
    ),
    "vit_b_1024_at_256": Golden(PLAIN_VIT_B_1024, 7, (300, 200), size=256, embedding_step=(1, 4, 1, 1)),
}


def prompts(width: int, height: int) -> Dict[str, Case]:
    """Every kind of prompt, aimed at the discs of the procedural image."""

    def at(a: int, b: int) -> List[int]:
        return [width * a // 16, height * b // 16]

    def points(*rows: List[List[int]]) -> np.ndarray:
        return np.array(rows, dtype=np.float32)

    def labels(*rows: List[int]) -> np.ndarray:
        return np.array(rows, dtype=np.int32)

    one = dict(points=points([at(5, 6)]), labels=labels([1]))
    two = dict(points=points([at(5, 6), at(13, 14)]), labels=labels([1, 0]))
    box = points(at(3, 2) + at(8, 10))
    return {
        "point": Case(**one),
        "points": Case(points([at(5, 6), at(11, 5), at(9, 12)]), labels([1, 0, 1])),
        "no_point": Case(points([at(5, 6), at(2, 13)]), labels([1, -1])),
        "box": Case(boxes=box),
        "box_point": Case(**one, boxes=box),
        "mask": Case(mask=True),
        "mask_point": Case(**one, mask=True),
        "all": Case(**two, boxes=box, mask=True),
        "none": Case(),
        "single": Case(**one, multimask=False),
        "single_box": Case(boxes=box, multimask=False),
        "batch_points": Case(points([at(5, 6)], [at(11, 5)], [at(1, 15)]), labels([1], [1], [0])),
        "batch_boxes": Case(boxes=points(at(3, 2) + at(8, 10), at(9, 3) + at(13, 8), at(0, 0) + at(16, 16))),
    }


# Modules whose output is a stage worth keeping. Convolutions are kept after their activation.
STAGES = re.compile(
    r"image_encoder\.(patch_embed|neck\.[01])"
    r"|image_encoder\.blocks\.\d+(\.(norm1|attn|norm2|mlp|Adapter|Adapter\.channel|Adapter\.spatial\.[13]))?"
    r"|mask_decoder\.(output_upscaling\.[24]|output_hypernetworks_mlps\.\d|iou_prediction_head)"
    r"|mask_decoder\.transformer\.(norm_final_attn|layers\.\d\.(self_attn|cross_attn_token_to_image|norm[1-4]))"
)
TRACED_CASE = "box_point"
# Every n-th channel of the largest stages is enough to catch a wrong one.
STAGE_STEPS: Dict[str, Steps] = {
    "image_encoder.neck.0": (1, 4, 1, 1),
    "image_encoder.neck.1": (1, 4, 1, 1),
    "mask_decoder.transformer.layers.0.norm4": (1, 1, 4),
    "mask_decoder.transformer.layers.1.norm4": (1, 1, 4),
    "mask_decoder.output_upscaling.2": (1, 4, 1, 1),
    "mask_decoder.output_upscaling.4": (1, 2, 1, 1),
}
DENSE_STEP: Steps = (1, 4, 1, 1)


class Trace:
    """Keeps stages under their module's dotted path, with the module's own shape, while it is open."""

    def __init__(self, model: SamMed2D) -> None:
        self.stages: Dict[str, Tensor] = {}
        self.handles = [
            module.register_forward_hook(self.keep_output(name))
            for name, module in model.named_modules()
            if STAGES.fullmatch(name)
        ]
        for i, block in enumerate(model.image_encoder.blocks):
            self.handles.append(block.norm2.register_forward_pre_hook(self.keep_input(f"image_encoder.blocks.{i}.y")))
        first = model.image_encoder.blocks[0]
        self.handles.append(first.register_forward_pre_hook(self.keep_input("image_encoder.tokens")))

    def keep_output(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Tuple[Tensor, ...], output: Tensor) -> None:
            self.stages[name] = output

        return hook

    def keep_input(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Tuple[Tensor, ...]) -> None:
            self.stages[name] = inputs[0]

        return hook

    def close(self) -> None:
        for handle in self.handles:
            handle.remove()


def build(config: Union[Config, TinyVitConfig], seed: int) -> SamMed2D:
    """The synthetic network, in double precision."""
    model = SamMed2D(config)
    stored = model.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in stored.items() if tensor.is_floating_point()}
    state = synthetic_state(shapes, seed)
    model.load_state_dict({**stored, **{name: torch.from_numpy(array) for name, array in state.items()}})
    return model.double().eval()


def single(tensor: Tensor, step: Steps = ()) -> np.ndarray:
    """Rounded to float32, every step-th element of each axis."""
    return np.ascontiguousarray(tensor[tuple(slice(None, None, n) for n in step)].float().numpy())


def double(array: Optional[np.ndarray]) -> Optional[Tensor]:
    return None if array is None else torch.from_numpy(array).double()


def run_case(
    model: SamMed2D,
    golden: Golden,
    case: Case,
    embedding: Tensor,
    placement: Placement,
    mask_input: Optional[np.ndarray] = None,
) -> Tuple[Arrays, Tensor, Tensor]:
    """Inputs and outputs of one decode, and its full logits and scores."""
    arrays: Arrays = {}
    if case.points is not None:
        arrays.update(points=case.points, labels=case.labels, model_points=placement.points(case.points))
    if case.boxes is not None:
        arrays.update(boxes=case.boxes, model_boxes=placement.boxes(case.boxes))
    if case.mask:
        assert mask_input is not None, "case point comes before a case with a mask prompt"
        arrays.update(mask_input=mask_input)
    inputs = dict(
        points=double(arrays.get("model_points")),
        labels=None if case.labels is None else torch.from_numpy(case.labels),
        boxes=double(arrays.get("model_boxes")),
    )
    mask = double(arrays.get("mask_input"))
    logits, scores = model.decode(embedding, mask_input=mask, multimask=case.multimask, **inputs)
    arrays.update(logits=single(logits, golden.logits_step), scores=single(scores))
    if golden.trace:
        arrays["sparse"] = single(model.prompt_encoder.sparse(len(logits), golden.side, **inputs))
        if case.mask:
            arrays["dense"] = single(model.prompt_encoder.dense(1, embedding.shape[-1], mask), DENSE_STEP)
    if golden.masks:
        best = best_mask(logits, scores)
        full = upscale_probabilities(best, placement) if golden.input == "medsam" else upscale(best, golden.side, placement)
        arrays["mask"] = binary(full).byte().numpy()
        if golden.trace:
            arrays["upscaled"] = single(full)
    return arrays, logits, scores


def describe(golden: Golden, cases: Dict[str, Case]) -> Dict[str, Any]:
    """What a test needs to repeat the golden."""
    sampled = {"embedding": golden.embedding_step, "cases.*.logits": golden.logits_step}
    if golden.trace:
        sampled.update({**STAGE_STEPS, "cases.*.dense": DENSE_STEP})
    return {
        "config": asdict(golden.config),
        "weights_seed": golden.seed,
        "image": {"width": golden.image[0], "height": golden.image[1], "seed": golden.seed},
        "size": golden.side,
        "fit": golden.fit,
        "order": golden.order,
        **({"input": golden.input} if golden.input else {}),
        "cases": {name: {"multimask": case.multimask} for name, case in cases.items()},
        "steps": {name: step for name, step in sampled.items() if max(step) > 1},
        **({"traced_case": TRACED_CASE} if golden.trace else {}),
    }


def report(name: str, embedding: Tensor, scores: Dict[str, Tensor], logits: Dict[str, Tensor]) -> None:
    """One line a case, to see that nothing is degenerate: masks neither empty nor full, a clear best score."""
    print(f"{name}: embedding mean {embedding.mean():.3f} std {embedding.std():.3f} max {embedding.abs().max():.2f}")
    for case, values in logits.items():
        inside = (best_mask(values, scores[case]) > 0).double().mean(dim=(1, 2))
        ranked = scores[case].sort(dim=1, descending=True).values
        margin = (ranked[:, 0] - ranked[:, 1]).min() if ranked.shape[1] > 1 else float("inf")
        share = ", ".join(f"{100 * part:.0f} %" for part in inside)
        print(f"  {case:13} logits std {values.std():.2f}, inside {share}, score margin {margin:.3f}")


@torch.no_grad()
def make(name: str, golden: Golden, model: SamMed2D) -> None:
    size = golden.side
    image = procedural_image(*golden.image, golden.seed)
    pixels, placement = preprocess(image, size, golden.fit, golden.order, medsam=golden.input is not None)
    arrays: Arrays = {"image": image} if image.nbytes < 200_000 else {}

    trace = Trace(model) if golden.trace else None
    embedding = model.encode(torch.from_numpy(pixels)[None].double())
    arrays["embedding"] = single(embedding, golden.embedding_step)
    every = prompts(*golden.image)
    if trace:
        run_case(model, golden, every[TRACED_CASE], embedding, placement)
        trace.close()
        arrays["pixels"] = pixels
        arrays["prompt_encoder.dense_pe"] = single(model.prompt_encoder.dense_pe(embedding.shape[-1]))
        arrays.update({stage: single(tensor, STAGE_STEPS.get(stage, ())) for stage, tensor in trace.stages.items()})
        for side in (186, 300, 372):
            arrays[f"nearest_indices.{side}"] = nearest_indices(side, 256)

    cases = {case: every[case] for case in golden.cases}
    all_logits: Dict[str, Tensor] = {}
    all_scores: Dict[str, Tensor] = {}
    mask_input: Optional[np.ndarray] = None
    for case_name, case in cases.items():
        outputs, logits, scores = run_case(model, golden, case, embedding, placement, mask_input)
        arrays.update({f"cases.{case_name}.{key}": array for key, array in outputs.items()})
        all_logits[case_name], all_scores[case_name] = logits, scores
        if case_name == "point":
            mask_input = single(best_mask(logits, scores).sigmoid()[:, None])
    report(name, embedding, all_scores, all_logits)
    safetensors_io.write(GOLDENS / f"{name}.safetensors", arrays, describe(golden, cases))


def main() -> None:
    torch.set_num_threads(2)
    GOLDENS.mkdir(exist_ok=True)
    built: Optional[Tuple[Tuple[Config, int], SamMed2D]] = None  # a vit_b takes seconds to fill: keep the last one
    for name in sys.argv[1:] or FILES:
        golden = FILES[name]
        key = (golden.config, golden.seed)
        if built is None or built[0] != key:
            built = (key, build(*key))
        make(name, golden, built[1])


if __name__ == "__main__":
    main()
