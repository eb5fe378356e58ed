"""Trainings of the tiny model on one GPU: bf16, QLoRA and DeepSpeed."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from nmt.models.adapters import add_adapter, trainable
from nmt.models.load import load_codec, load_model
from nmt.models.precision import pick_dtype
from nmt.models.tokenization.encoded_pairs import encode_pairs
from nmt.text.pair import Pair
from nmt.training.job import TrainingJob
from nmt.training.loss import LossModule
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights
from tests.support.training.worker_group import train_together

CUDA = torch.device("cuda")
LAST_STEP = 8


def with_settings(job: TrainingJob, **settings: object) -> TrainingJob:
    changes = {name.replace("__", "."): value for name, value in settings.items()}
    return replace(job, config=job.config.with_overrides(changes))


def on_gpu(model: nn.Module) -> nn.Module:
    return model.to(CUDA)


def assert_trained(job: TrainingJob) -> None:
    weights = checkpoint_weights(job, LAST_STEP)
    assert weights
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights.values())
    # LoRA's second matrix starts at zero, so a value elsewhere was trained.
    assert any(bool(tensor.any()) for name, tensor in weights.items() if "lora_B" in name)


def test_bf16_is_chosen_where_the_gpu_has_it() -> None:
    expected = torch.bfloat16 if torch.cuda.get_device_capability()[0] >= 8 else torch.float32
    assert pick_dtype("auto", CUDA) == expected


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_run_trains_in_each_precision(job: TrainingJob, precision: str) -> None:
    job = with_settings(job, training__precision=precision)
    assert run_training(job).finished
    assert_trained(job)


def test_bf16_steps_lower_the_loss(job: TrainingJob) -> None:
    source = job.base.resolve(job.storage)
    codec = load_codec(source, "eng_Latn", "tam_Taml")
    pairs = [Pair("the doctor sees the patient", "மருத்துவர் நோயாளியைப் பார்க்கிறார்")] * 4
    batch = encode_pairs(codec, pairs, 64, 64).batch(torch.arange(4).numpy(), CUDA)
    base = load_model(source, torch.bfloat16)
    model = add_adapter(base, job.config.adapter, seed=1).to(CUDA)
    module = LossModule(model, 0.0, torch.bfloat16).train()
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
    losses = []
    for _ in range(20):
        loss = module(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_a_base_in_four_bits_is_trained_and_takes_less_memory(job: TrainingJob) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is in the extra `gpu`")
    job = with_settings(job, adapter__type="qlora")
    source = job.base.resolve(job.storage)
    before = torch.cuda.memory_allocated()
    full = on_gpu(load_model(source, torch.bfloat16))
    full_bytes = torch.cuda.memory_allocated() - before
    del full
    before = torch.cuda.memory_allocated()
    quantized = load_model(source, quantization=job.config.adapter, device=CUDA)  # pyright: ignore[reportArgumentType]
    assert torch.cuda.memory_allocated() - before < full_bytes
    del quantized
    assert run_training(job).finished
    assert_trained(job)


STRATEGIES = {
    "ddp": {"strategy__type": "ddp"},
    "zero-2": {"strategy__type": "deepspeed", "strategy__zero_stage": 2},
    "zero-3": {"strategy__type": "deepspeed", "strategy__zero_stage": 3},
    "offload": {
        "strategy__type": "deepspeed",
        "strategy__zero_stage": 2,
        "strategy__offload": True,
    },
}


@pytest.mark.parametrize("names", [("ddp", "zero-2", "zero-3"), ("offload",)])
def test_strategies_train_alike_on_one_gpu(
    job: TrainingJob, tmp_path: Path, names: tuple[str, ...]
) -> None:
    pytest.importorskip("deepspeed", reason="DeepSpeed is in the extra `gpu`")
    plain = with_settings(job, training__precision="fp32", adapter__dropout=0.0)
    jobs = {
        name: replace(with_settings(plain, **STRATEGIES[name]), folder=f"small/{name}")
        for name in names
    }
    run_training(plain)
    # In its own process, since DeepSpeed changes the process it runs in.
    train_together(list(jobs.values()), 1, tmp_path, backend="nccl")
    expected = checkpoint_weights(plain, LAST_STEP)
    for name, partitioned in jobs.items():
        found = checkpoint_weights(partitioned, LAST_STEP)
        assert found.keys() == expected.keys()
        for key, tensor in expected.items():
            torch.testing.assert_close(
                found[key], tensor, rtol=0, atol=1e-3, msg=lambda text, name=name: f"{name}: {text}"
            )


def test_a_stopped_run_goes_on_alike(job: TrainingJob) -> None:
    job = with_settings(job, training__precision="fp32")
    whole = replace(job, folder="small/whole")
    run_training(whole)
    run_training(replace(job, stop_at_step=3))
    run_training(job)
    expected, found = (checkpoint_weights(each, LAST_STEP) for each in (whole, job))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=1e-4)


def test_micro_batches_that_do_not_fit_are_halved(
    job: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    job = with_settings(job, training__micro_batch_tokens=65_536, training__precision="fp32")
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_reserved()
    run_training(replace(job, folder="small/whole"))
    needed = torch.cuda.max_memory_reserved() - before
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_reserved() + 0.7 * needed
    total = torch.cuda.get_device_properties(CUDA).total_memory
    torch.cuda.set_per_process_memory_fraction(allowed / total)
    try:
        assert run_training(job).finished
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "rows do not fit into the memory" in caplog.text
    assert_trained(job)
