"""Training and decoding at the size of NLLB-200 600M, with random weights, on one NVIDIA GPU.

Runs `gpu_updates`, `gpu_loop` and `gpu_decoding`, each side in its own process, one after another.
Prints each figure as soon as it is known, and writes all as JSON. Takes four minutes on an H100.
"""

import argparse
import importlib.metadata
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import torch
from gpu_updates import GIB, pick_gpu, wait
from model_600m import save_model
from torch.nn.functional import cross_entropy
from train_sides import draw_tokenizer

from nmt.training.loss import sum_cross_entropy, tensor_cores

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "on_gpu.json"
PACKAGES = ("torch", "transformers", "peft", "accelerate", "bitsandbytes", "ctranslate2")
PARTS = ("loss", "updates", "loop", "decoding")
SIDES = {
    "updates": ("lora", "lora_recompute", "qlora", "full"),
    "loop": ("ours", "hf_grouped", "hf_example"),
    "decoding": ("ctranslate2", "transformers"),
}


def main() -> None:
    """Measure all parts."""
    options = read_options()
    figures: dict[str, Any] = {"machine": describe_machine()}
    show("machine", figures["machine"])
    with tempfile.TemporaryDirectory() as temporary:
        kept = Path(options.folder or temporary)
        options.folder, options.converted = kept / "model", kept / "converted"
        if not options.converted.exists():
            save(options)
        for part in options.parts:
            figures[part] = measure(part, options)
            # A later part may fail, or run out of time.
            options.output.parent.mkdir(parents=True, exist_ok=True)
            options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--tokens", type=int, nargs="+", default=[2048, 16_384])
    parser.add_argument("--loop-tokens", type=int, nargs="+", default=[8192])
    parser.add_argument("--seconds", type=float, default=5, help="of each side of the loop")
    parser.add_argument("--sentences", type=int, default=2048)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=256_206)
    parser.add_argument("--folder", help="keep the models there, or find them there")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    return parser.parse_args()


def describe_machine() -> dict[str, Any]:
    """Describe GPU and versions, and measure the rates that a program can reach at most."""
    on_gpu = torch.cuda.is_available()
    return {
        "gpu": torch.cuda.get_device_name() if on_gpu else "none",
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "bf16_teraflops": product_teraflops(torch.bfloat16),
        "fp32_teraflops": product_teraflops(torch.float32),
        "copy_gigabytes_per_second": copy_gigabytes_per_second(),
    }


def product_teraflops(dtype: torch.dtype) -> float:
    """Measure the rate of a large matrix product in 10^12 operations per second."""
    size, times = (8192 if torch.cuda.is_available() else 512), 10
    left, right = (torch.randn(size, size, device=pick_gpu(), dtype=dtype) for _ in range(2))
    product = left @ right
    started = wait()
    for _ in range(times):
        torch.mm(left, right, out=product)
    return times * 2 * size**3 / (wait() - started) / 1e12


def copy_gigabytes_per_second() -> float:
    """Measure the gigabytes that a copy reads and writes per second."""
    here = torch.randn(2**28 if torch.cuda.is_available() else 2**20, device=pick_gpu())
    there = torch.empty_like(here).copy_(here)
    started = wait()
    for _ in range(10):
        there.copy_(here)
    return 10 * 2 * here.nbytes / (wait() - started) / 1e9


def save(options: argparse.Namespace) -> None:
    """Save a model with random weights and a small tokenizer, and convert it to CTranslate2."""
    import numpy as np
    from ctranslate2.converters import TransformersConverter

    save_model(options)
    draw_tokenizer(np.random.default_rng(1), 800).save_pretrained(options.folder)
    with redirect_stderr(io.StringIO()):
        converter = TransformersConverter(str(options.folder))
        converter.convert(str(options.converted), quantization="float16")


def measure(part: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure all sides of a part."""
    if part == "loss":
        found = {name: measure_loss(name, options) for name in ("frozen", "trained")}
        show(part, found)
        return found
    figures: dict[str, Any] = {}
    for side in SIDES[part]:
        for name, arguments in arguments_of(part, side, options).items():
            figures[name] = run_side(part, side, arguments)
            show(f"{part} {name}", figures[name])
    return figures


def arguments_of(part: str, side: str, options: argparse.Namespace) -> dict[str, list[str]]:
    """Return the arguments of each run of a side, by the name of its figures."""
    folder = ["--folder", str(options.folder)]
    if part == "updates":
        return {side: [*folder, "--tokens", *map(str, options.tokens)]}
    if part == "decoding":
        more = ["--converted", str(options.converted), "--sentences", str(options.sentences)]
        return {side: folder + more}
    # The Trainer's example takes eight rows, whatever the budget.
    sizes = options.loop_tokens[:1] if side == "hf_example" else options.loop_tokens
    seconds = ["--seconds", str(options.seconds)]
    return {f"{side}_{size}": [*folder, *seconds, "--tokens", str(size)] for size in sizes}


def run_side(part: str, side: str, arguments: list[str]) -> dict[str, Any]:
    """Run one side in a new process; a failure becomes its figure, and the others still run."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / f"gpu_{part}.py"), side, *arguments],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-12:]}
    return {
        **json.loads(done.stdout.splitlines()[-1]),
        "process_seconds": time.monotonic() - started,
    }


def measure_loss(head_is: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the loss of 4,096 target tokens with a frozen bf16 or a trained fp32 head."""
    dtype = torch.bfloat16 if head_is == "frozen" else torch.float32
    torch.manual_seed(1)
    device, tokens = pick_gpu(), 4096
    hidden = torch.randn(1, tokens, options.width, device=device, dtype=dtype, requires_grad=True)
    head = torch.randn(options.vocabulary, options.width, device=device, dtype=dtype) * 0.02
    head.requires_grad_(head_is == "trained")
    labels = torch.randint(options.vocabulary, (1, tokens), device=device)

    def chunked() -> torch.Tensor:
        return sum_cross_entropy(hidden, head, labels, 0.1)

    def whole() -> torch.Tensor:
        logits = (hidden[0] @ head.T).float()
        return cross_entropy(logits, labels[0], label_smoothing=0.1, reduction="sum")

    found: dict[str, Any] = {}
    for name, loss_of in (("ours", chunked), ("whole", whole)):
        hidden.grad = head.grad = None
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
        for count in range(5):
            started = wait()
            hidden.grad = head.grad = None
            # As in a training: TF32 where the head is trained.
            with tensor_cores(wanted=True):
                loss = loss_of()
                loss.backward()
            found[name] = {"seconds": wait() - started, "loss": float(loss) / tokens, "run": count}
        if torch.cuda.is_available():
            found[name]["extra_gib"] = (torch.cuda.max_memory_allocated() - before) / GIB
    return found


def show(name: str, figures: object) -> None:
    """Print figures on one line, rounded."""

    def short(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items() if "parts" not in key}
        return float(f"{value:.4g}") if isinstance(value, float) else value

    print(f"{name}: {json.dumps(short(figures))}", flush=True)


if __name__ == "__main__":
    main()
