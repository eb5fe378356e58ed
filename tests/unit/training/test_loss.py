import pytest
import torch
from torch.nn.functional import cross_entropy

from nmt.training import loss as loss_module
from nmt.training.loss import sum_cross_entropy


@pytest.fixture(autouse=True)
def _many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "ROWS_AT_ONCE", 3)


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    hidden = torch.randn(2, 5, 8, dtype=torch.float64, requires_grad=True)
    head = torch.randn(11, 8, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 11, (2, 5))
    labels[0, 3:] = -100
    return hidden, head, labels


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_equals_the_plain_cross_entropy(smoothing: float) -> None:
    hidden, head, labels = example()
    expected = cross_entropy(
        (hidden @ head.T).flatten(0, 1),
        labels.flatten(),
        reduction="sum",
        label_smoothing=smoothing,
    )
    ours = sum_cross_entropy(hidden, head, labels, smoothing)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradients_equal_those_of_the_plain_cross_entropy(smoothing: float) -> None:
    hidden, head, labels = example()
    (sum_cross_entropy(hidden, head, labels, smoothing) / 7).backward()
    ours = hidden.grad, head.grad
    hidden.grad = head.grad = None
    plain = cross_entropy(
        (hidden @ head.T).flatten(0, 1),
        labels.flatten(),
        reduction="sum",
        label_smoothing=smoothing,
    )
    (plain / 7).backward()
    assert ours[0] is not None
    assert ours[1] is not None
    torch.testing.assert_close(ours[0], hidden.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours[1], head.grad, rtol=1e-4, atol=1e-6)


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden, head, labels = example()
    head.requires_grad_(False)
    sum_cross_entropy(hidden, head, labels, 0.1).backward()
    assert head.grad is None
    assert hidden.grad is not None


def test_padding_gets_no_gradient() -> None:
    hidden, head, labels = example()
    sum_cross_entropy(hidden, head, labels, 0.1).backward()
    assert hidden.grad is not None
    assert float(hidden.grad[0, 3:].abs().sum()) == 0
