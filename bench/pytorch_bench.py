"""Times the reference in tests/reference on the CUDA GPU at hand: eager f32 and compiled f16, one image, one box.

    python3 pytorch_bench.py --reference tests/reference --runs 50 --json pytorch.json --ours bench.json

With --ours, a report of this project's bench from the same machine, it also gives PyTorch's time over ours.
GPU time by CUDA events and wall time, medians, weights by the same formula as the bench's. TF32 is off for f32:
WebGPU's f32 is IEEE single, and the ratio is to be of the same arithmetic. With --cpu it runs where there is no GPU, to try the script.
"""

import argparse
import json
import os
import statistics
import sys
import time


def measure(work, runs, torch, device):
    """Median and 95th percentile in milliseconds: (gpu, wall)."""
    for _ in range(min(5, runs)):
        work()
    gpu, wall = [], []
    for _ in range(runs):
        if device == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            started = time.perf_counter()
            begin.record()
            work()
            end.record()
            torch.cuda.synchronize()
            wall.append(1000 * (time.perf_counter() - started))
            gpu.append(begin.elapsed_time(end))
        else:
            started = time.perf_counter()
            work()
            wall.append(1000 * (time.perf_counter() - started))

    def summary(samples):
        ordered = sorted(samples)
        return {"median": statistics.median(ordered), "p95": ordered[max(0, -(-95 * len(ordered) // 100) - 1)], "count": len(ordered)} if ordered else None

    return {"gpu": summary(gpu), "wall": summary(wall)}


def ratios(variants, ours):
    """PyTorch's median over ours, of each of its variants and of each of our runs: GPU time where both have it, and wall time."""
    found = []
    for run in [ours, *ours.get("beside", [])]:
        for variant in variants:
            for graph in ("encode", "decode"):
                own, other = run[graph], variant.get(graph)
                if not other:
                    continue
                pair = {"graph": graph, "ours": run["precision"], "pytorch": variant["name"]}
                if own.get("gpu") and other["gpu"]:
                    pair["gpu"] = other["gpu"]["median"] / own["gpu"]["median"]
                pair["wall"] = other["wall"]["median"] / own["wall"]["median"]
                found.append(pair)
    return found


def compiled_f16(model, embedding, image, box, runs, torch):
    """Half precision by autocast: sums, softmax and LayerNorm stay f32, as they do in the kernels here."""
    name = "compiled f16"
    try:
        if not hasattr(torch, "compile"):
            raise RuntimeError(f"torch {torch.__version__} has no torch.compile; 2.0 or newer has")
        half = half_weights(model, torch, torch.float16)
        # Graphs replayed as one launch, as here; trying every tile of every product would take longer than a borrowed machine lasts.
        encode, decode = torch.compile(half.encode, mode="reduce-overhead"), torch.compile(half.decode, mode="reduce-overhead")

        def cast(work):
            with torch.autocast("cuda", dtype=torch.float16):
                return work()

        fast = {"encode": lambda: cast(lambda: encode(image)), "decode": lambda: cast(lambda: decode(embedding, boxes=box))}
        error = (fast["encode"]().float() - embedding).abs().max().item()
        if not error < 0.1:
            raise RuntimeError(f"its embedding differs from f32's by {error:.3g}, so it was not timed")
        return {"name": name, "embeddingMaxAbsError": error, **{graph: measure(work, runs, torch, "cuda") for graph, work in fast.items()}}
    except Exception as error:  # noqa: BLE001 - a compiler that is missing must not cost the f32 figures
        return {"name": name, "failed": str(error).splitlines()[0][:300] if str(error) else type(error).__name__}


def half_weights(model, torch, dtype):
    """A copy whose products have half-precision weights: autocast would cast a gigabyte of them anew at every run."""
    import copy

    half = copy.deepcopy(model)
    for module in half.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            module.to(dtype)
    return half


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, help="folder of sam_med2d.py")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--json", required=True)
    parser.add_argument("--config", choices=["vit_b", "small"], default="vit_b")
    parser.add_argument("--ours", help="this project's bench report of the same machine")
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, options.reference)
    import torch
    from sam_med2d import VIT_B, Config, SamMed2D
    from synthetic import synthetic_state

    if not torch.cuda.is_available() and not options.cpu:
        sys.exit("PyTorch finds no CUDA GPU here.")
    device = "cpu" if options.cpu else "cuda"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    config = VIT_B if options.config == "vit_b" else Config(width=64, depth=3, heads=2, global_blocks=(1,))
    model = SamMed2D(config).eval().requires_grad_(False)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict({name: torch.from_numpy(array) for name, array in synthetic_state(shapes, 7).items()})
    model.to(device)
    image = torch.randn(1, 3, config.image_size, config.image_size, device=device)
    box = torch.tensor([[48.0, 32.0, 128.0, 160.0]], device=device)

    variants = []
    with torch.inference_mode():
        embedding = model.encode(image)
        plain = {"encode": lambda: model.encode(image), "decode": lambda: model.decode(embedding, boxes=box)}
        variants.append({"name": "eager f32", **{name: measure(work, options.runs, torch, device) for name, work in plain.items()}})
        if device == "cuda":
            variants.append(compiled_f16(model, embedding, image, box, options.runs, torch))
    report = {
        "schema": "sam-med2d-bench-pytorch",
        "version": 1,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "CPU",
        "configuration": options.config,
        "variants": variants,
    }
    if options.ours and os.path.isfile(options.ours):
        with open(options.ours, encoding="utf-8") as file:
            ours = json.load(file)
        report["ours"] = {"adapter": ours["adapter"]["description"], "date": ours["date"], "model": ours["model"]["name"]}
        report["ratios"] = ratios(variants, ours)
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
    for variant in variants:
        for graph in ("encode", "decode"):
            if graph in variant:
                clock = variant[graph]["gpu"] or variant[graph]["wall"]
                print(f"PyTorch {variant['name']} {graph}: median {clock['median']:.3f} ms, p95 {clock['p95']:.3f} ms")
        if "failed" in variant:
            print(f"PyTorch {variant['name']}: not measured, {variant['failed']}")
    for ratio in report.get("ratios", []):
        clocks = ", ".join(f"{clock} time {ratio[clock]:.2f}" for clock in ("gpu", "wall") if clock in ratio)
        print(f"{ratio['graph']}: PyTorch {ratio['pytorch']} over ours in {ratio['ours']}: {clocks}")


if __name__ == "__main__":
    main()
