"""Writes the reference network as ONNX, with the weights, image and prompt both sides of the peer comparison are given.

    python3 export_onnx.py --reference ../tests/reference --config small --out FOLDER

It needs torch and numpy, and with PyTorch 2.5 or newer the package onnx.
FOLDER gets encoder.onnx (image [1, 3, S, S] normalised -> embedding), decoder.onnx (embedding, boxes -> logits, scores),
weights.safetensors, image.f32 (what encoder.onnx takes), pixels.rgb (the picture itself) and peers.json.
"""

import argparse
import inspect
import json
import sys
from pathlib import Path

CONFIGS = {"small": (3, 96, 72), "vit_b": (7, 300, 200)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--config", choices=list(CONFIGS), default="small")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    sys.path.insert(0, options.reference)
    import numpy as np
    import torch
    from preprocess import preprocess
    from procedural_image import procedural_image
    from safetensors_io import write
    from sam_med2d import VIT_B, Config, SamMed2D
    from synthetic import synthetic_state

    seed, width, height = CONFIGS[options.config]
    config = VIT_B if options.config == "vit_b" else Config(width=64, depth=3, heads=2, global_blocks=(1,))
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    model = SamMed2D(config).eval().requires_grad_(False)
    state = synthetic_state({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}, seed)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    write(out / "weights.safetensors", state, {"seed": seed})

    pixels = procedural_image(width, height, seed)
    prepared, _ = preprocess(pixels, config.image_size)
    (out / "pixels.rgb").write_bytes(pixels.tobytes())
    (out / "image.f32").write_bytes(np.ascontiguousarray(prepared, dtype=np.float32).tobytes())
    box = [width * 3 // 16, height * 2 // 16, width * 8 // 16, height * 10 // 16]
    scale = [config.image_size / width, config.image_size / height] * 2
    model_box = [side * factor for side, factor in zip(box, scale)]

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.image_encoder = model.image_encoder

        def forward(self, image):
            return self.image_encoder(image)

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.prompt_encoder, self.mask_decoder = model.prompt_encoder, model.mask_decoder

        def forward(self, embedding, boxes):
            return SamMed2D.decode(model, embedding, boxes=boxes)

    image = torch.from_numpy(np.asarray(prepared, dtype=np.float32))[None]
    embedding = model.encode(image)
    boxes = torch.tensor([model_box], dtype=torch.float32)
    # What PyTorch 2.9 and newer make by default, onnxruntime-web refuses to open (TransposeInitializer); the exporter of before is still there.
    traced = "dynamo" in inspect.signature(torch.onnx.export).parameters
    names = {"opset_version": 16, "do_constant_folding": True, **({"dynamo": False} if traced else {})}
    torch.onnx.export(Encoder(), image, str(out / "encoder.onnx"), input_names=["image"], output_names=["embedding"], **names)
    torch.onnx.export(
        Decoder(), (embedding, boxes), str(out / "decoder.onnx"), input_names=["embedding", "boxes"], output_names=["logits", "scores"], **names
    )
    facts = {"config": options.config, "width": width, "height": height, "size": config.image_size, "box": box, "modelBox": model_box}
    facts["exporter"] = f"PyTorch {torch.__version__}, torch.onnx.export" + ("(dynamo=False)" if traced else "")
    print(facts["exporter"])
    (out / "peers.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
