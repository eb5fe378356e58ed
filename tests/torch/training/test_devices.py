import pytest
import torch

from nmt.training.monitoring.progress import peak_memory_gib
from nmt.training.strategies import pick_device


@pytest.fixture
def machine_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as is asked here."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)


@pytest.mark.parametrize(("gpus", "device"), [(0.0, "cpu"), (0.5, "cuda:1"), (1.0, "cuda:1")])
def test_a_worker_takes_the_gpu_it_was_given_and_no_other(
    gpus: float, device: str, machine_with_a_gpu: None
) -> None:
    assert str(pick_device(gpus)) == device


def test_a_worker_on_the_cpu_tells_its_own_memory(machine_with_a_gpu: None) -> None:
    assert peak_memory_gib() > 0
