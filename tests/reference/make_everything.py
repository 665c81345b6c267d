"""Everything mode's golden: the masks that SAM's own automatic mask generator finds with the published weights on drawn images.

    python make_everything.py --original SEGMENT_ANYTHING --weights ../../weights/sam-med2d-tiny.safetensors

SEGMENT_ANYTHING is a checkout of the original project, which is not part of this one: its generator runs here as it is, on this
project's network behind the two calls it makes. torchvision's batched_nms, all it needs of that package, is written out below.
Writes ../goldens/everything.json.
"""
from __future__ import annotations

import argparse
import json
import sys
import types
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "weights" / "recipe"))

from networks import shaped  # noqa: E402
from postprocess import upscale  # noqa: E402
from preprocess import preprocess  # noqa: E402
from procedural_image import procedural_image  # noqa: E402
from safetensors import load_safetensors  # noqa: E402

# Two drawn images: the first has the model's own size, so that stability is of the same pixels here and there.
CASES: List[Dict[str, object]] = [
    {
        "image": {"width": 256, "height": 256, "seed": 5},
        "settings": {"points_per_side": 12, "pred_iou_thresh": 0.3, "stability_score_thresh": 0.5},
    },
    {
        "image": {"width": 300, "height": 200, "seed": 7},
        "settings": {"points_per_side": 8, "points_per_batch": 10, "pred_iou_thresh": 0.4, "stability_score_thresh": 0.0, "crop_n_layers": 1, "crop_n_points_downscale_factor": 2, "min_mask_region_area": 60},
    },
]


def batched_nms(boxes: Tensor, scores: Tensor, _categories: Tensor, iou_threshold: float) -> Tensor:
    order = scores.sort(stable=True, descending=True).indices.tolist()
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: List[int] = []
    for i in order:
        low, high = torch.maximum(boxes[i, :2], boxes[kept, :2]), torch.minimum(boxes[i, 2:], boxes[kept, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        if not (shared / (areas[i] + areas[kept] - shared) > iou_threshold).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def components(mask: np.ndarray, _connectivity: int) -> Tuple[int, np.ndarray, np.ndarray, None]:
    """OpenCV's connectedComponentsWithStats by SciPy, as far as the generator looks: labels, and areas in the last column."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    return count + 1, labels, np.bincount(labels.ravel(), minlength=count + 1)[:, None], None


def load_generator(original: Path) -> type:
    boxes = types.ModuleType("torchvision.ops.boxes")
    boxes.batched_nms, boxes.box_area = batched_nms, lambda b: (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    transforms = types.ModuleType("torchvision.transforms.functional")
    transforms.resize = transforms.to_pil_image = None
    cv2 = types.ModuleType("cv2")
    cv2.connectedComponentsWithStats = components
    sys.modules.update({"torchvision": types.ModuleType("torchvision"), "torchvision.ops": types.ModuleType("torchvision.ops"), "torchvision.ops.boxes": boxes})
    sys.modules.update({"torchvision.transforms": types.ModuleType("torchvision.transforms"), "torchvision.transforms.functional": transforms, "cv2": cv2})
    sys.path.insert(0, str(original))
    from segment_anything import automatic_mask_generator

    return automatic_mask_generator


class Predictor:
    """The calls of SamPredictor that the generator makes, answered by this project's network."""

    device = "cpu"

    def __init__(self, network: torch.nn.Module) -> None:
        self.network, self.model, self.transform = network, types.SimpleNamespace(mask_threshold=0.0), self

    def set_image(self, image: np.ndarray) -> None:
        pixels, self.placement = preprocess(np.ascontiguousarray(image), 256, "resize", "bgr")
        self.embedding = self.network.encode(torch.as_tensor(pixels).float()[None])

    def reset_image(self) -> None:
        self.embedding = None

    def apply_coords(self, points: np.ndarray, _size: Tuple[int, int]) -> np.ndarray:
        return self.placement.points(points)

    def predict_torch(self, points: Tensor, labels: Tensor, multimask_output: bool, return_logits: bool) -> Tuple[Tensor, Tensor, None]:
        logits, scores = self.network.decode(self.embedding, points=points.float(), labels=labels.long())
        full = upscale(logits.flatten(0, 1), 256, self.placement)
        return full.view(*logits.shape[:2], *full.shape[1:]), scores, None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--original", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    options = parser.parse_args()
    network = shaped({k: v.float() for k, v in load_safetensors(options.weights).items()})
    module = load_generator(options.original)
    module.SamPredictor = Predictor
    cases = []
    for case in CASES:
        image = procedural_image(**case["image"])
        masks = module.SamAutomaticMaskGenerator(network, output_mode="uncompressed_rle", **case["settings"]).generate(image)
        found = [
            {
                "counts": mask["segmentation"]["counts"],
                "area": mask["area"],
                "bbox": mask["bbox"],
                "score": round(mask["predicted_iou"], 6),
                "stability": round(mask["stability_score"], 6),
                "point": mask["point_coords"][0],
                "crop": mask["crop_box"],
            }
            for mask in masks
        ]
        print(case["image"], len(found), "masks")
        cases.append({**case, "found": found})
    path = Path(__file__).resolve().parents[1] / "goldens" / "everything.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
