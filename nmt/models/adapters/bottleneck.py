"""Bottleneck adapters: two small layers after each feed-forward block.

Source: Houlsby et al. 2019, https://arxiv.org/abs/1902.00751 (section 2.1)
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from nmt.models.adapters.targets import feed_forward_outputs

METHOD = "BOTTLENECK"
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


class Bottleneck(nn.Module):
    """The layer `x + up(relu(down(x)))`, an identity until it is trained."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(features, width)
        self.up = nn.Linear(width, features)
        # Zeros make the untrained layer an identity, so training starts from the base's quality.
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer and return the dtype of the input."""
        inner = self.down(x.to(self.down.weight.dtype)).relu()
        return x + self.up(inner).to(x.dtype)


class BottleneckModel(nn.Module):
    """A frozen transformers model with a bottleneck after each feed-forward block."""

    # Forward hooks insert the bottlenecks, so the base and its layers' names are unchanged.

    def __init__(self, model: PreTrainedModel, width: int) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.width = width
        self.enabled = True
        self.bottlenecks = nn.ModuleDict()
        for path, layer in feed_forward_outputs(model).items():
            bottleneck = Bottleneck(layer.out_features, width).to(layer.weight.device)
            # Names in a ModuleDict must not contain dots.
            self.bottlenecks[path.replace(".", "/")] = bottleneck
            layer.register_forward_hook(self._hook_of(bottleneck))

    def get_base_model(self) -> PreTrainedModel:
        """Return the transformers model, under the name that PEFT uses."""
        return self.model

    @property
    def config(self) -> Any:  # noqa: ANN401 - any transformers config
        """Return the transformers model's configuration."""
        return self.model.config

    def forward(self, *inputs: Any, **named: Any) -> Any:  # noqa: ANN401
        """Run the transformers model with the bottlenecks."""
        return self.model(*inputs, **named)

    def generate(self, *inputs: Any, **named: Any) -> Any:  # noqa: ANN401
        """Generate with the transformers model and the bottlenecks."""
        return self.model.generate(*inputs, **named)  # pyright: ignore[reportCallIssue]

    @contextmanager
    def disable_adapter(self) -> Iterator[None]:
        """Switch the bottlenecks off within the context."""
        self.enabled = False
        try:
            yield
        finally:
            self.enabled = True

    def save(self, folder: Path) -> None:
        """Write the bottlenecks without the base."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {n: v.detach().cpu().contiguous() for n, v in self.bottlenecks.state_dict().items()}
        save_file(state, folder / _WEIGHTS, metadata={"format": "pt"})
        text = json.dumps({"peft_type": METHOD, "width": self.width}, indent=2)
        (folder / _CONFIG).write_text(text, encoding="utf-8")

    def _hook_of(self, bottleneck: nn.Module):  # noqa: ANN202 - torch's type of a hook
        """Return a forward hook that applies a bottleneck to a layer's output."""

        def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            return bottleneck(output) if self.enabled else None

        return hook


def attach_bottlenecks(base: PreTrainedModel, folder: Path) -> BottleneckModel:
    """Attach saved bottlenecks to a base.

    Raises:
        RuntimeError: they were trained on a model with other layers.
    """
    width = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))["width"]
    model = BottleneckModel(base, width)
    model.bottlenecks.load_state_dict(load_file(folder / _WEIGHTS))
    return model


def add_bottlenecks(model: PreTrainedModel, width: int, seed: int) -> BottleneckModel:
    """Add new bottlenecks to a model, with weights drawn from a seed."""
    torch.manual_seed(seed)
    return BottleneckModel(model, width)
