"""The forecast of what DeepSpeed and DDP hold, against real steps of two workers."""

import json
from functools import partial
from pathlib import Path

import pytest

from nmt.config import Config, load_config
from nmt.planning.gpus import GPUS
from nmt.planning.memory import memory_parts
from nmt.planning.shapes import training_shape
from tests.support.training.live_bytes import SHAPE
from tests.support.training.step_memory import ROWS, TOKENS, measure
from tests.support.training.worker_group import run_together

pytest.importorskip("deepspeed", reason="DeepSpeed is in the extra `gpu`")

WORKERS = 2
STRATEGIES = ("ddp", "zero_1", "zero_2", "zero_3")
CASES = [(strategy, adapter) for strategy in STRATEGIES for adapter in ("none", "lora")]


def settings(shape: Path, strategy: str, adapter: str) -> Config:
    kind, _, stage = strategy.partition("_")
    return load_config(
        [],
        [
            f"model.name_or_path={shape}",
            f"model.max_source_tokens={TOKENS}",
            f"model.max_target_tokens={TOKENS}",
            f"adapter.type={adapter}",
            *(["adapter.dropout=0"] if adapter == "lora" else []),
            *([f"strategy.type={kind}"] if not stage else []),
            *(["strategy.type=deepspeed", f"strategy.zero_stage={stage}"] if stage else []),
            f"scaling.workers={WORKERS}",
            f"training.micro_batches_per_step={WORKERS}",
        ],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory")
    SHAPE.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def measured(folder: Path) -> dict[str, float]:
    configs = {"-".join(case): settings(folder, *case) for case in CASES}
    answer = folder / "peaks.json"
    run_together(partial(measure, configs, answer), WORKERS, folder)
    return json.loads(answer.read_text())


@pytest.mark.parametrize(("strategy", "adapter"), CASES)
def test_the_forecast_is_within_15_percent_of_real_steps(
    folder: Path, measured: dict[str, float], strategy: str, adapter: str
) -> None:
    config = settings(folder, strategy, adapter)
    shape = training_shape(config, mixed=False)
    forecast = memory_parts(config, shape, ROWS, GPUS["l4"]).tensors
    assert forecast == pytest.approx(measured[f"{strategy}-{adapter}"], rel=0.15)
