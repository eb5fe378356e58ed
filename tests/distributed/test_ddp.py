"""DDP on CPU: a real process group, no Ray."""

import os
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from typing_extensions import override

from nmt.config import DdpStrategy, TrainingConfig
from nmt.training.strategies import build_strategy
from tests.support.training.forked_process import start, wait


class WithTable(nn.Module):
    """A layer beside a table of positions, as translation models have them."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.register_buffer("table", torch.zeros(8))

    @override
    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.layer(batch["inputs"]).sum()


def train_on_after_a_validation_that_made_the_table_longer(meeting: Path) -> None:
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    module, strategy = WithTable(), build_strategy(DdpStrategy())
    strategy.begin(module, dict(module.named_parameters()), TrainingConfig())
    batch = {"inputs": torch.ones(2, 4)}
    strategy.backward(batch, 1.0, last=True)
    strategy.step(1e-3)
    with torch.inference_mode():
        module.table = torch.zeros(16)
    strategy.backward(batch, 1.0, last=True)
    assert strategy.step(1e-3) > 0


def test_a_table_of_positions_may_grow_in_a_validation(tmp_path: Path) -> None:
    work = train_on_after_a_validation_that_made_the_table_longer
    assert wait(start(work, tmp_path / "meeting")) == 0
