"""Memory and time of a training step at the real size of NLLB-200 600M, random weights.

Each side runs in its own process, one after the other: load, add the adapter, take a few optimizer
steps on one micro-batch. The table also has the forecast of `nmt plan`. Prints a table
and writes the figures as JSON.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
from peak_memory import GIB, peak, reset_peak
from torch import Tensor, nn
from transformers import M2M100Config, M2M100ForConditionalGeneration

from nmt.config import Config, DeepspeedStrategy
from nmt.models.adapters import add_adapter, trainable
from nmt.models.load import load_model
from nmt.models.sources.source import ModelSource
from nmt.planning.gpus import Gpu
from nmt.planning.memory import memory_parts
from nmt.planning.shapes import rows_of, training_shape
from nmt.planning.speed import step_time
from nmt.training.strategies import Single, Strategy
from nmt.training.trainer import LossModule

ONE_CPU = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    # glibc would keep what is freed, and the peak would be of its pieces: give it back.
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
RESULTS = Path(__file__).parent / "results" / "model_600m.json"


@dataclass(frozen=True, slots=True)
class Side:
    """A training method, and the side it is compared with."""

    title: str
    adapter: str
    beside: str | None = None
    """This project's side that trains the same parameters."""
    zero_stage: int | None = None
    """ZeRO stage of DeepSpeed in one process; None for plain PyTorch."""

    @property
    def whole_logits(self) -> bool:
        """Tell whether the model's own loss replaces this project's."""
        return self.beside is not None and self.zero_stage is None


SIDES = {
    "full": Side("full", "none"),
    "full_whole": Side("full, the model's own loss", "none", beside="full"),
    "lora": Side("LoRA", "lora"),
    "lora_whole": Side("LoRA, the model's own loss", "lora", beside="lora"),
    "qlora": Side("QLoRA", "qlora"),
    "lora_zero1": Side("LoRA, ZeRO-1", "lora", beside="lora", zero_stage=1),
    "lora_zero2": Side("LoRA, ZeRO-2", "lora", beside="lora", zero_stage=2),
    "lora_zero3": Side("LoRA, ZeRO-3", "lora", beside="lora", zero_stage=3),
    "full_zero1": Side("full, ZeRO-1", "none", beside="full", zero_stage=1),
    "full_zero2": Side("full, ZeRO-2", "none", beside="full", zero_stage=2),
    "full_zero3": Side("full, ZeRO-3", "none", beside="full", zero_stage=3),
}
DEFAULT_SIDES = [side for side in SIDES if not side.startswith("full_zero")]
"""`full` with ZeRO is left out: weights, a copy, gradients and moments need 13 to 15 GiB."""


class WholeLogits(nn.Module):
    """The model's own loss, with the logits of all positions at once."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Compute the loss summed over the batch's target tokens, as `LossModule` does."""
        return self.model(**batch).loss * (batch["labels"] != -100).sum()


def main() -> None:
    """Save the model and measure all sides, or measure one of them."""
    options = read_options()
    if options.side == "save":
        save_model(options)
    elif options.side:
        print(json.dumps(measure(options.side, options)))
    else:
        run_all(options)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=DEFAULT_SIDES)
    parser.add_argument(
        "--steps", type=int, default=2, help="number of steps; the first is not counted"
    )
    parser.add_argument("--rows", type=int, default=8, help="rows of the micro-batch")
    parser.add_argument("--tokens", type=int, default=24, help="tokens of each source and target")
    parser.add_argument(
        "--layers", type=int, default=12, help="layers of the encoder and of the decoder"
    )
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=256_206)
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps < 2:
        parser.error("--steps must be 2 or more")
    return options


def run_all(options: argparse.Namespace) -> None:
    """Measure all sides in turn."""
    # The table is printed row by row, since a side takes a minute or more.
    with tempfile.TemporaryDirectory() as folder:
        run_side("save", folder, options)
        figures: dict[str, dict[str, Any]] = {}
        print("\n".join(HEADER), flush=True)
        for side in options.sides:
            figures[side] = run_side(side, folder, options)
            print(line_of(side, figures), flush=True)
    shape = {key: getattr(options, key) for key in ("layers", "width", "vocabulary")}
    batch = {key: getattr(options, key) for key in ("rows", "tokens", "steps")}
    result = {
        "model": shape,
        "batch": batch,
        "machine": f"{platform.machine()}, one thread",
        "torch": torch.__version__,
        "sides": figures,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def run_side(side: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one side in a new process with one thread and no GPU, and return its last line."""
    names = ("steps", "rows", "tokens", "layers", "width", "vocabulary")
    given = [part for n in names for part in (f"--{n}", str(getattr(options, n)))]
    world = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "DS_ACCELERATOR": "cpu"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--side", side, "--folder", folder, *given],
        env={**os.environ, **world, **ONE_CPU},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{side}: ended with {done.returncode}; out of memory? See `free -g`")
    return json.loads(done.stdout.splitlines()[-1])


def save_model(options: argparse.Namespace) -> None:
    """Save random weights with the sizes of facebook/nllb-200-distilled-600M."""
    torch.manual_seed(1)
    heads, hidden = max(1, options.width // 64), 4 * options.width
    shape = M2M100Config(
        vocab_size=options.vocabulary,
        d_model=options.width,
        encoder_layers=options.layers,
        decoder_layers=options.layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=hidden,
        decoder_ffn_dim=hidden,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        tie_word_embeddings=True,
    )
    M2M100ForConditionalGeneration(shape).save_pretrained(options.folder)
    print("{}")


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one side in this process."""
    torch.set_num_threads(1)
    side, config = SIDES[name], settings(name, options)
    strategy = strategy_of(side, config)
    before, started = reset_peak(), time.process_time()
    quantization = config.adapter if config.adapter.type == "qlora" else None
    base = load_model(ModelSource(options.folder), quantization=quantization)
    model = add_adapter(base, config.adapter, config.seed)
    del base
    leave_file(model)
    loading = {"gib": (peak() - before) / GIB, "cpu_seconds": time.process_time() - started}
    held = reset_peak() - before
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    module = WholeLogits(model) if side.whole_logits else LossModule(model, 0.0, torch.float32)
    strategy.begin(module.train(), trainable(model), config.training)
    steps = [take_step(strategy, step, options) for step in range(options.steps)]
    return {
        "peak_gib": (peak() - before) / GIB,
        "model_gib": held / GIB,
        "loading": loading,
        "losses": [step["loss"] for step in steps],
        "step_cpu_seconds": median(step["cpu_seconds"] for step in steps[1:]),
        "step_seconds": median(step["seconds"] for step in steps[1:]),
        "first_step_cpu_seconds": steps[0]["cpu_seconds"],
        "trained_parameters": trained,
        "forecast": forecast(config),
    }


def leave_file(model: nn.Module) -> None:
    """Copy the weights, as moving them to a GPU does."""
    # Loaded weights are a view of the file, whose pages count as resident once they were read. With
    # weights in 4 bits, the pages of the same weights in fp32 would count too.
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()


def settings(name: str, options: argparse.Namespace) -> Config:
    """Build the configuration of a side, in fp32."""
    side = SIDES[name]
    adapter: dict[str, Any] = {"type": side.adapter}
    if side.adapter != "none":
        adapter["rank"] = 16
    if side.adapter == "qlora":
        adapter["compute_precision"] = "fp32"
    strategy: dict[str, Any] = {"type": "single"}
    if side.zero_stage is not None:
        strategy = {"type": "deepspeed", "zero_stage": side.zero_stage}
    return Config.parse(
        {
            "model": {
                "name_or_path": options.folder,
                "max_source_tokens": options.tokens,
                "max_target_tokens": options.tokens,
            },
            "adapter": adapter,
            "strategy": strategy,
            "training": {
                "precision": "fp32",
                "micro_batch_tokens": max(64, options.rows * 2 * options.tokens),
            },
        }
    )


def strategy_of(side: Side, config: Config) -> Strategy:
    """Choose the strategy: one process, or DeepSpeed in a process group of one."""
    if side.zero_stage is None or not isinstance(config.strategy, DeepspeedStrategy):
        return Single()
    from nmt.training.strategies.zero import Zero, import_deepspeed

    import_deepspeed()
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    return Zero(config.strategy)


def take_step(strategy: Strategy, step: int, options: argparse.Namespace) -> dict[str, float]:
    """Take one optimizer step on random tokens, which are the same for every side."""
    torch.manual_seed(step)
    shape = (options.rows, options.tokens)
    source, labels = (torch.randint(4, options.vocabulary, shape) for _ in range(2))
    batch = {"input_ids": source, "attention_mask": torch.ones_like(source), "labels": labels}
    wall, started = time.monotonic(), time.process_time()
    loss = strategy.backward(batch, 1 / labels.numel(), last=True)
    strategy.step(2e-4)
    return {
        "cpu_seconds": time.process_time() - started,
        "seconds": time.monotonic() - wall,
        "loss": float(loss) / labels.numel(),
    }


def forecast(config: Config) -> dict[str, Any]:
    """Forecast this machine as `nmt plan` forecasts a GPU, without the memory reserve."""
    # Its rates are measured here, so the efficiency relative to them is 1.
    config = config.with_overrides({"plan.efficiency": 1.0})
    machine = Gpu("this CPU", 24, copy_gigabytes_per_second(), product_teraflops(), None)
    shape = training_shape(config, mixed=False)
    rows = rows_of(shape, config.training.micro_batch_tokens)
    memory = memory_parts(config, shape, rows, machine)
    step = step_time(config, shape, rows, machine, mixed=False)
    return {
        "tensors_gib": memory.tensors,
        "parts_gib": asdict(memory) | {"reserve": 0.0},
        "step_seconds": step.seconds,
        "fp32_teraflops": machine.fp32_teraflops,
        "bandwidth_gigabytes_per_second": machine.bandwidth_gigabytes_per_second,
    }


def product_teraflops(times: int = 5) -> float:
    """Measure the rate of fp32 matrix products in 10^12 operations per CPU-second."""
    left, right = torch.randn(192, 1024), torch.randn(1024, 4096)
    product = left @ right
    started = time.process_time()
    for _ in range(times):
        torch.mm(left, right, out=product)
    return times * 2 * 192 * 1024 * 4096 / (time.process_time() - started) / 1e12


def copy_gigabytes_per_second() -> float:
    """Measure the gigabytes that a copy reads and writes per CPU-second."""
    here = torch.randn(2**26)
    there = torch.empty_like(here).copy_(here)
    started = time.process_time()
    there.copy_(here)
    return 2 * here.nbytes / (time.process_time() - started) / 1e9


HEADER = (
    "| side | trained | peak GiB | forecast GiB | CPU-s per update | forecast CPU-s "
    "| GiB / ours | CPU / ours |",
    "|---|---|---|---|---|---|---|---|",
)


def line_of(side: str, figures: dict[str, dict[str, Any]]) -> str:
    """Format one row of a Markdown table, with ratios to this project's comparable side."""
    own, ours = figures[side], figures.get(SIDES[side].beside or "")
    ratios = [f"{own[k] / ours[k]:.2f}" if ours else "" for k in ("peak_gib", "step_cpu_seconds")]
    planned = own["forecast"]
    return (
        f"| {SIDES[side].title} | {own['trained_parameters'] / 1e6:.1f}M | {own['peak_gib']:.2f} "
        f"| {planned['tensors_gib']:.2f} | {own['step_cpu_seconds']:.1f} "
        f"| {planned['step_seconds']:.1f} | {ratios[0]} | {ratios[1]} |"
    )


if __name__ == "__main__":
    main()
