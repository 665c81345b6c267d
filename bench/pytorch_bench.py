"""The reference in tests/reference on the CUDA GPU at hand, one image, one box: the peer that `bench --peer` times in turns with this project.

    sam-med2d bench --peer "python3 bench/pytorch_bench.py --reference tests/reference"

Says what it can run as one line of JSON, then answers each line {"variant": "eager f32", "graph": "encode", "runs": 5} with one line of times
in milliseconds: GPU time by CUDA events, and wall time. Weights are by the same formula as the bench's. "f32" is IEEE single, as WebGPU's is:
TF32 is off, in products and in cuDNN's convolutions; "TF32" has it on. A CUDA graph is launched as a whole, as a command buffer is here.
With --cpu it runs where there is no GPU, to try the script; with --warm it compiles what it would, for the next start, and ends.
"""

import argparse
import json
import os
import signal
import sys
import time


# Seconds that making one variant may take.
LONGEST_S = 100


def give_up(_signal, _frame):
    raise TimeoutError(f"not ready within {LONGEST_S} s")


def timed(work, runs, torch, device):
    """Milliseconds of each run, after two that are not counted: (gpu, wall)."""
    for _ in range(2):
        work()
    gpu, wall = [], []
    for _ in range(runs):
        if device == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
        started = time.perf_counter()
        if device == "cuda":
            begin.record()
        work()
        if device == "cuda":
            end.record()
            torch.cuda.synchronize()
            gpu.append(begin.elapsed_time(end))
        wall.append(1000 * (time.perf_counter() - started))
    return {"gpu": gpu or None, "wall": wall}


def half_weights(model, torch, dtype):
    """A copy whose products have half-precision weights: autocast would cast a gigabyte of them anew at every run."""
    import copy

    half = copy.deepcopy(model)
    for module in half.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            module.to(dtype)
    return half


def with_tf32(allowed, torch, work):
    def run():
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed
        return work()

    return run


def cast(torch, work):
    """Sums, softmax and LayerNorm stay f32, as they do in the kernels here."""

    def run():
        with torch.autocast("cuda", dtype=torch.float16):
            return work()

    return run


def graphed(torch, work):
    """The same launches, recorded once."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()

    def run():
        graph.replay()
        return result

    return run


class Variants:
    """What can be timed, by name: encode and decode of each, made when they are first wanted."""

    def __init__(self, model, image, box, torch, device):
        self.torch, self.image, self.box = torch, image, box
        with_tf32(False, torch, lambda: None)()
        self.embedding = model.encode(image)
        self.found, self.failed, self.errors = {}, {}, {}

        def eager(of):
            return {"encode": lambda: of.encode(image), "decode": lambda: of.decode(self.embedding, boxes=box)}

        def each(change, works):
            return {graph: change(torch, work) for graph, work in works.items()}

        plain = eager(model)
        self.add("eager f32", lambda: {graph: with_tf32(False, torch, work) for graph, work in plain.items()}, 1e-3)
        if device != "cuda":
            return
        self.add("eager TF32", lambda: {graph: with_tf32(True, torch, work) for graph, work in plain.items()}, 0.1)
        with_tf32(False, torch, lambda: None)()
        self.add("CUDA graph f32", lambda: each(graphed, plain), 1e-3)
        half = half_weights(model, torch, torch.float16)
        self.add("eager f16", lambda: each(cast, eager(half)), 0.1)
        self.add("CUDA graph f16", lambda: each(graphed, each(cast, eager(half))), 0.1)

        def compiled():
            # Trying every tile of every product would take longer than a borrowed machine lasts.
            encode, decode = torch.compile(half.encode, mode="reduce-overhead"), torch.compile(half.decode, mode="reduce-overhead")
            return each(cast, {"encode": lambda: encode(image), "decode": lambda: decode(self.embedding, boxes=box)})

        self.add("compiled f16", compiled, 0.1)

    def add(self, name, make, bound):
        # A compiler that waits for ever must not cost the other figures either.
        signal.alarm(LONGEST_S)
        try:
            works = make()
            error = (works["encode"]().float() - self.embedding).abs().max().item()
            works["decode"]()
            if not error < bound:
                raise RuntimeError(f"its embedding differs from eager f32's by {error:.3g}, so it is not timed")
            self.found[name], self.errors[name] = works, error
        except Exception as error:  # noqa: BLE001 - a compiler that is missing must not cost the other figures
            self.failed[name] = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        finally:
            signal.alarm(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, help="folder of sam_med2d.py")
    parser.add_argument("--config", choices=["vit_b", "small"], default="vit_b")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, give_up)
    # Whatever a library prints goes to the other stream: lines here are answers.
    answers, sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8"), sys.stderr
    sys.path.insert(0, options.reference)
    import torch
    from sam_med2d import VIT_B, Config, SamMed2D
    from synthetic import synthetic_state

    if not torch.cuda.is_available() and not options.cpu:
        sys.exit("PyTorch finds no CUDA GPU here.")
    device = "cpu" if options.cpu else "cuda"
    config = VIT_B if options.config == "vit_b" else Config(width=64, depth=3, heads=2, global_blocks=(1,))
    model = SamMed2D(config).eval().requires_grad_(False)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict({name: torch.from_numpy(array) for name, array in synthetic_state(shapes, 7).items()})
    model.to(device)
    image = torch.randn(1, 3, config.image_size, config.image_size, device=device)
    box = torch.tensor([[48.0, 32.0, 128.0, 160.0]], device=device)

    def answer(facts):
        answers.write(f"{json.dumps(facts)}\n")
        answers.flush()

    with torch.inference_mode():
        variants = Variants(model, image, box, torch, device)
        name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
        answer({
            "name": f"PyTorch {torch.__version__} on {name}",
            "variants": [{"name": variant, "embeddingMaxAbsError": error} for variant, error in variants.errors.items()],
            "failed": [{"name": variant, "reason": reason} for variant, reason in variants.failed.items()],
        })
        if options.warm:
            return
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                answer(timed(variants.found[asked["variant"]][asked["graph"]], asked["runs"], torch, device))
            except Exception as error:  # noqa: BLE001 - told, not fatal
                answer({"failed": str(error).splitlines()[0][:300] if str(error) else type(error).__name__})


if __name__ == "__main__":
    main()
