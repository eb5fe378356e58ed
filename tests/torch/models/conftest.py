"""A tiny untrained model in a folder, and one batch to learn by heart."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from nmt.models.families import family_of
from nmt.models.load import load_model
from nmt.models.sources.source import ModelSource
from nmt.models.tiny import build_model, build_tokenizer
from tests.support.models.tiny_models import BUILDERS, build

LINES = ["water is cold", "the house is old", "neer kulir", "veedu pazhayathu"]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(params=BUILDERS)
def name(request: pytest.FixtureRequest) -> str:
    """Every architecture in turn."""
    return request.param


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of one architecture's tiny checkpoint, built once."""
    root = tmp_path_factory.mktemp("tiny")
    return cache(lambda name: build(name, root / name))


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the base; tests only read it."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = build_tokenizer(LINES, "eng_Latn", "tam_Taml", 200)
    tokenizer.save_pretrained(folder)
    build_model(tokenizer, seed=1).save_pretrained(folder)
    return folder


@pytest.fixture
def fresh(stored: Path) -> Callable[[], PreTrainedModel]:
    """Loads the base anew, in evaluation mode."""
    return lambda: load_model(ModelSource(str(stored))).eval()


@pytest.fixture
def batch(fresh: Callable[[], PreTrainedModel]) -> dict[str, Tensor]:
    """Two sentences as the model's forward takes them; the second is padded."""
    config = fresh().config
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(4, config.vocab_size, (2, 6), generator=generator)
    labels = torch.randint(4, config.vocab_size, (2, 5), generator=generator)
    mask = torch.ones_like(ids)
    ids[1, 4:], mask[1, 4:] = config.pad_token_id, 0
    labels[1, 3:] = -100
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "decoder_input_ids": family_of(config).decoder_input(labels, config),
    }
