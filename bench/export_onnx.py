"""Writes the reference network as ONNX, with the weights, image and prompt both sides of the peer comparison are given.

    python3 export_onnx.py --reference ../tests/reference --config small --layout plain --out FOLDER

It needs torch, numpy, scipy and, with PyTorch 2.5 or newer, onnx; onnxsim is used where it is there. FOLDER gets weights.safetensors, pixels.rgb (the picture), image.f32 (as the
network takes it), peers.json and the network in a layout:

plain         encoder.onnx (image [1, 3, S, S] normalised -> embedding), decoder.onnx (embedding, boxes -> logits, scores)
transformers  the same as SamModel of transformers.js names it: config.json, onnx/vision_encoder.onnx, onnx/prompt_encoder_mask_decoder.onnx
cornerstone   as ONNXSegmentationController of @cornerstonejs/ai feeds SAM: a picture of 1024 x 1024 from 0 to 1, points with labels of any number, logits
              of 1024 x 1024 back. The network between is the same, at its own size S
"""

import argparse
import inspect
import json
import shutil
import struct
import sys
from pathlib import Path

DEFAULT = Path(__file__).resolve().parent.parent / "weights" / "sam-med2d-tiny.safetensors"
# Seed, width and height of the picture.
PICTURES = {"small": (3, 96, 72), "vit_b": (7, 300, 200), "default": (7, 300, 200), "lite_medsam": (7, 300, 200)}
# The members of the family that take 1024 x 1024.
PICTURES.update({name: (7, 1024, 768) for name in ("tiny_vit", "slimsam", "slimsam_50", "sam_b", "sam_l", "sam_h")})
# One file of ONNX holds no more (protobuf).
MOST_BYTES = 2**31
# What a viewer's canvas has, and SAM's own layout.
CANVAS = 1024


def stored(path):
    """Tensors of a safetensors file as float32, by name."""
    import numpy as np

    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    kinds = {"F32": "<f4", "F16": "<f2"}
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + at for at in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[start:end], kinds[entry["dtype"]]).astype(np.float32).reshape(entry["shape"])
    return tensors


def published(name, blocks, size=None):
    """The configuration of a network by its name here, as `bench --config` has it; `blocks`: a plain ViT of these alone, each "windowed" or "global", at images of `size`."""
    from dataclasses import replace

    from config import VIT_B, VIT_H, VIT_L, Config
    from tiny_vit import LITE_MEDSAM, MOBILE_SAM

    sam_b = replace(VIT_B, image_size=1024, adapter=False)
    config = {
        "small": Config(width=64, depth=3, heads=2, global_blocks=(1,)),
        "vit_b": VIT_B,
        "lite_medsam": LITE_MEDSAM,
        "tiny_vit": MOBILE_SAM,
        "slimsam": replace(sam_b, width=168, mlp=696),
        "slimsam_50": replace(sam_b, width=384, mlp=1536),
        "sam_b": sam_b,
        "sam_l": replace(VIT_L, image_size=1024, adapter=False),
        "sam_h": replace(VIT_H, image_size=1024, adapter=False),
    }[name]
    if not blocks:
        return config
    side = size or config.image_size
    return replace(config, depth=len(blocks), global_blocks=tuple(i for i, kind in enumerate(blocks) if kind == "global"), image_size=side)


def network(name, blocks, side, seed, out):
    """The network with its weights, and these as a file in `out`."""
    import torch
    from safetensors_io import write
    from sam_med2d import SamMed2D
    from synthetic import synthetic_state
    from tiny_vit import TinyVitConfig

    if name == "default":
        facts = json.loads(DEFAULT.with_suffix(".json").read_text(encoding="utf-8"))["config"]
        lists = {key: tuple(facts[key]) for key in ("widths", "depths", "heads", "windows")}
        model = SamMed2D(TinyVitConfig(**lists, patch_kernel=facts["patch_kernel"], image_size=facts["image_size"]))
        state = stored(DEFAULT)
        shutil.copy(DEFAULT, out / "weights.safetensors")
    else:
        model = SamMed2D(published(name, blocks, side))
        state = synthetic_state({key: tuple(tensor.shape) for key, tensor in model.state_dict().items() if tensor.is_floating_point()}, seed)
        write(out / "weights.safetensors", state, {"seed": seed})
    # BatchNorm's counters are not among the weights.
    missing, unexpected = model.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()}, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    return model.eval().requires_grad_(False)


def plain(model, image, embedding, boxes, export):
    import torch

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, embedding, boxes):
            return self.model.decode(embedding, boxes=boxes)

    export(model.image_encoder, (image,), "encoder.onnx", ["image"], ["embedding"])
    export(Decoder(), (embedding, boxes), "decoder.onnx", ["embedding", "boxes"], ["logits", "scores"])


def transformers(model, image, embedding, boxes, export):
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            embedding = self.model.image_encoder(pixel_values)
            return embedding, self.model.prompt_encoder.dense_pe(embedding.shape[-1]) + 0 * embedding

    class Decoder(torch.nn.Module):
        """Two points are the corners of a box, whatever their labels."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_points, image_embeddings):
            logits, scores = self.model.decode(image_embeddings, boxes=input_points.reshape(1, 4))
            return scores[None], logits[None]

    export(Encoder(), (image,), "onnx/vision_encoder.onnx", ["pixel_values"], ["image_embeddings", "image_positional_embeddings"])
    inputs = ["input_points", "image_embeddings"]
    export(Decoder(), (boxes.reshape(1, 1, 2, 2), embedding), "onnx/prompt_encoder_mask_decoder.onnx", inputs, ["iou_scores", "pred_masks"])


def cornerstone(model, image, embedding, boxes, export):
    import torch
    import torch.nn.functional as F
    from preprocess import MEAN, STD

    prompts, grid, size = model.prompt_encoder, embedding.shape[-1], image.shape[-1]

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = model.image_encoder
            self.register_buffer("mean", torch.from_numpy(MEAN).view(1, 3, 1, 1))
            self.register_buffer("std", torch.from_numpy(STD).view(1, 3, 1, 1))

        def forward(self, images):
            step = CANVAS // size
            return self.encoder((images[:, :, ::step, ::step].flip(1) * 255 - self.mean) / self.std)

    class Decoder(torch.nn.Module):
        """As SAM's own export: points of labels 0 and 1, corners of a box 2 and 3, a mask that counts where `has_mask_input` is 1."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, image_embeddings, point_coords, point_labels, mask_input, has_mask_input, orig_im_size):
            points = torch.cat([point_coords * (size / CANVAS), point_coords.new_zeros(1, 1, 2)], dim=1)
            labels = torch.cat([point_labels, point_labels.new_full((1, 1), -1)], dim=1)[..., None]
            sparse = prompts.pe_layer((points + 0.5) / size) * (labels != -1) + prompts.not_a_point_embed.weight * (labels == -1)
            for kind, row in enumerate(prompts.point_embeddings):
                sparse = sparse + row.weight * (labels == kind)
            mask = prompts.mask_downscaling(F.interpolate(mask_input, (4 * grid, 4 * grid)))
            dense = has_mask_input * mask + (1 - has_mask_input) * prompts.no_mask_embed.weight.view(1, -1, 1, 1)
            logits, scores = self.model.mask_decoder(image_embeddings + dense, prompts.dense_pe(grid), sparse)
            logits, scores = logits[:, 1:], scores[:, 1:]
            best = (scores == scores.max(dim=1, keepdim=True).values)[..., None, None] * logits
            masks = F.interpolate(best.sum(dim=1, keepdim=True), (CANVAS, CANVAS), mode="bilinear", align_corners=False)
            return masks + 0 * orig_im_size.sum(), scores, logits

    export(Encoder(), (torch.rand(1, 3, CANVAS, CANVAS),), "encoder.onnx", ["images"], ["image_embeddings"])
    given = (embedding, torch.ones(1, 2, 2), torch.ones(1, 2), torch.zeros(1, 1, 256, 256), torch.zeros(1), torch.tensor([1024.0, 1024.0]))
    names = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"]
    count = {"point_coords": {1: "points"}, "point_labels": {1: "points"}}
    export(Decoder(), given, "decoder.onnx", names, ["masks", "iou_predictions", "low_res_masks"], dynamic_axes=count)


LAYOUTS = {"plain": plain, "transformers": transformers, "cornerstone": cornerstone}


def simplify(out):
    """Shapes that the exporter left open become numbers where onnxsim is there: a provider on a GPU has a third of the nodes then."""
    try:
        import onnx
        import onnxsim
    except ImportError:
        return ""
    for path in sorted(out.rglob("*.onnx")):
        model, same = onnxsim.simplify(onnx.load(str(path)))
        if not same:
            raise SystemExit(f"onnxsim gives another network for {path.name}")
        onnx.save(model, str(path))
    return f", onnxsim {onnxsim.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--config", choices=list(PICTURES), default="small")
    parser.add_argument("--layout", choices=list(LAYOUTS), default="plain")
    parser.add_argument("--blocks", type=lambda text: text.split(","), default=[], help="of a plain ViT these alone, as windowed,global")
    parser.add_argument("--size", type=int, help="side of the model's image with --blocks, where the network's own is more than a provider can run")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    sys.path.insert(0, options.reference)
    import numpy as np
    import torch
    from preprocess import preprocess
    from procedural_image import procedural_image

    if options.size and not options.blocks:
        raise SystemExit("--size goes with --blocks")
    seed, width, height = PICTURES[options.config]
    if options.size:
        # The model's whole square: below 1024 this library stretches what SAM takes, as SAM-Med2D does, and here all must be given the same.
        width = height = options.size
    out = Path(options.out)
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    model = network(options.config, options.blocks, options.size, seed, out)
    size = model.config.image_size
    held = sum(4 * tensor.numel() for tensor in model.image_encoder.parameters())
    if held >= MOST_BYTES:
        raise SystemExit(f"{options.config} has {held} bytes of weights, and a file of ONNX holds 2 GiB: name a few of its blocks, --blocks windowed,global")

    pixels = procedural_image(width, height, seed)
    fed = "lite-medsam" if options.config == "lite_medsam" else "sam" if PICTURES[options.config][1] == 1024 else "sam-med2d"
    fit, order = ("resize", "bgr") if fed == "sam-med2d" else ("longest", "rgb")
    prepared, placement = preprocess(pixels, size, fit, order, medsam=fed == "lite-medsam")
    (out / "pixels.rgb").write_bytes(pixels.tobytes())
    (out / "image.f32").write_bytes(np.ascontiguousarray(prepared, dtype=np.float32).tobytes())
    box = [width * 3 // 16, height * 2 // 16, width * 8 // 16, height * 10 // 16]
    model_box = placement.boxes(np.array([box], dtype=np.float32))[0].tolist()
    image = torch.from_numpy(np.asarray(prepared, dtype=np.float32))[None]

    # What PyTorch 2.9 and newer make by default, onnxruntime-web refuses to open (TransposeInitializer); the exporter of before is still there.
    traced = "dynamo" in inspect.signature(torch.onnx.export).parameters
    how = {"opset_version": 16, "do_constant_folding": True, **({"dynamo": False} if traced else {})}

    def export(module, given, name, inputs, outputs, **more):
        torch.onnx.export(module.eval(), given, str(out / name), input_names=inputs, output_names=outputs, **how, **more)

    LAYOUTS[options.layout](model, image, model.encode(image), torch.tensor([model_box], dtype=torch.float32), export)
    (out / "config.json").write_text(json.dumps({"model_type": "sam", "architectures": ["SamModel"]}) + "\n", encoding="utf-8")
    facts = {"config": options.config, "blocks": options.blocks, "layout": options.layout, "width": width, "height": height, "size": size}
    facts.update({"box": box, "modelBox": model_box, "input": fed})
    facts["exporter"] = f"PyTorch {torch.__version__}, torch.onnx.export" + ("(dynamo=False)" if traced else "") + simplify(out)
    print(facts["exporter"])
    (out / "peers.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
