"""Real model shapes as folders with a config.json and no weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import M2M100Config

from nmt.config import Config, load_config

SHAPES = {"600M": (1024, 12, 4096), "3.3B": (2048, 24, 8192)}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folder of each NLLB-200 shape."""
    root = tmp_path_factory.mktemp("shapes")
    for name, (width, layers, inner) in SHAPES.items():
        M2M100Config(
            vocab_size=256_206,
            d_model=width,
            encoder_layers=layers,
            decoder_layers=layers,
            encoder_ffn_dim=inner,
            decoder_ffn_dim=inner,
            tie_word_embeddings=True,
        ).save_pretrained(root / name)
    return {name: root / name for name in SHAPES}


@pytest.fixture(scope="session")
def settings(folders: dict[str, Path]) -> Callable[..., Config]:
    """`settings("600M", "adapter.type=none", ...)`."""
    return lambda name, *words: load_config([], [f"model.name_or_path={folders[name]}", *words])
