import pytest
import torch
from torch import nn

from nmt.config import TrainingConfig
from nmt.errors import CheckpointError
from nmt.training.optim import (
    build_optimizer,
    learning_rate,
    make_moments,
    moments_of,
    restore_moments,
)


def settings(schedule: str) -> TrainingConfig:
    return TrainingConfig.model_validate(
        {"schedule": schedule, "max_steps": 100, "warmup_steps": 10, "learning_rate": 0.01}
    )


@pytest.mark.parametrize("schedule", ["cosine", "linear", "inverse_sqrt", "constant"])
def test_warmup_rises_to_the_peak(schedule: str) -> None:
    training = settings(schedule)
    rates = [learning_rate(training, step) for step in range(11)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[9] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("schedule", "last"),
    [("cosine", 0.0), ("linear", 0.0), ("inverse_sqrt", 0.01 * 0.1**0.5), ("constant", 0.01)],
)
def test_schedule_ends_where_it_should(schedule: str, last: float) -> None:
    assert learning_rate(settings(schedule), 100) == pytest.approx(last, abs=2e-4)


def test_no_warmup_starts_at_the_peak() -> None:
    training = TrainingConfig(warmup_steps=0, schedule="constant", learning_rate=0.01)
    assert learning_rate(training, 0) == pytest.approx(0.01)


def trained() -> tuple[dict[str, nn.Parameter], torch.optim.AdamW]:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    parameters = dict(layer.named_parameters())
    optimizer = build_optimizer(parameters, settings("constant"))
    for _ in range(3):
        layer(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return parameters, optimizer


def test_restored_optimizer_takes_the_same_next_step() -> None:
    first, optimizer = trained()
    second, _ = trained()
    fresh = build_optimizer(second, settings("constant"))
    make_moments(fresh)
    saved = {name: t.clone() for name, t in moments_of(optimizer, first).items()}
    restore_moments(fresh, second, saved, step=3)
    for parameters, each in ((first, optimizer), (second, fresh)):
        for parameter in parameters.values():
            parameter.grad = torch.ones_like(parameter)
        each.step()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_missing_moments_are_named() -> None:
    parameters, optimizer = trained()
    tensors = moments_of(optimizer, parameters)
    partial = {name: t for name, t in tensors.items() if "bias" not in name}
    with pytest.raises(CheckpointError, match="exp_avg/bias"):
        restore_moments(optimizer, parameters, partial, 3)


def test_biases_are_not_decayed() -> None:
    parameters, optimizer = trained()
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert decay[id(parameters["bias"])] == 0
    assert decay[id(parameters["weight"])] > 0


def test_the_peak_changes_after_so_many_updates() -> None:
    changes = {4: 0.02, 6: 0.005}
    training = TrainingConfig(
        schedule="constant", warmup_steps=0, learning_rate=0.01, learning_rate_changes=changes
    )
    rates = [learning_rate(training, step) for step in range(8)]
    assert rates == [0.01] * 4 + [0.02] * 2 + [0.005] * 2
