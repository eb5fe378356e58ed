"""Memory that one full fine-tuning takes over from another: nothing of the first is left in it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nmt.config import TrainingConfig
from nmt.training.optim import build_optimizer, make_moments, moments_of
from nmt.training.reused_memory import REUSED_MEMORY, ReusedMemory


def layer_in(memory: ReusedMemory, original: nn.Linear) -> nn.Linear:
    """A copy of a layer with its weights in reused memory."""
    layer = nn.Linear(3, 2)
    copies = memory.copies([weight.detach() for weight in original.parameters()])
    layer.weight, layer.bias = (nn.Parameter(copied) for copied in copies)
    memory.lend(layer)
    return layer


def train(layer: nn.Linear) -> Mapping[str, Tensor]:
    """Make two updates of a layer, and return the moments before them and the weights after."""
    parameters = dict(layer.named_parameters())
    optimizer = build_optimizer(parameters, TrainingConfig())
    make_moments(optimizer)
    before = {name: moment.clone() for name, moment in moments_of(optimizer, parameters).items()}
    for _ in range(2):
        layer(torch.ones(4, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return before | {name: weight.detach().clone() for name, weight in parameters.items()}


def places_of_moments(layer: nn.Linear) -> list[int]:
    parameters = dict(layer.named_parameters())
    optimizer = build_optimizer(parameters, TrainingConfig())
    make_moments(optimizer)
    return [moment.data_ptr() for moment in moments_of(optimizer, parameters).values()]


def test_a_second_training_starts_from_the_same_weights_and_from_zero_moments() -> None:
    original = nn.Linear(3, 2)
    first = train(layer_in(REUSED_MEMORY, original))
    second = train(layer_in(REUSED_MEMORY, original))
    REUSED_MEMORY.free()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(second[name].any() for name in second if name.startswith("exp_avg"))


def test_the_moments_of_copied_weights_take_over_the_memory_of_the_last_ones() -> None:
    original = nn.Linear(3, 2)
    first = places_of_moments(layer_in(REUSED_MEMORY, original))
    second = places_of_moments(layer_in(REUSED_MEMORY, original))
    REUSED_MEMORY.free()
    assert first == second


def test_the_moments_of_other_weights_have_memory_of_their_own() -> None:
    layer_in(REUSED_MEMORY, nn.Linear(3, 2))
    other = nn.Linear(3, 2)
    optimizers = [build_optimizer(dict(other.named_parameters()), TrainingConfig()) for _ in "12"]
    for optimizer in optimizers:
        make_moments(optimizer)
    REUSED_MEMORY.free()
    first, second = (optimizer.state[other.weight]["exp_avg"] for optimizer in optimizers)
    assert first.data_ptr() != second.data_ptr()


def test_weights_of_another_shape_do_not_take_over_the_memory() -> None:
    memory = ReusedMemory()
    (first,) = memory.copies([torch.ones(2, 3)])
    (second,) = memory.copies([torch.ones(3, 2)])
    assert second.shape == (3, 2)
    assert first.data_ptr() != second.data_ptr()


def test_a_layer_in_use_keeps_its_weights() -> None:
    memory, original = ReusedMemory(), nn.Linear(3, 2)
    layer = layer_in(memory, original)
    with torch.no_grad():
        layer.weight.zero_()
    layer_in(memory, original)
    assert not layer.weight.any()
