from pathlib import Path

import pytest

from nmt.config import (
    load_config,
)
from nmt.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    """Write a YAML file and return its path."""

    def written(text: str, name: str = "settings.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def refusal(*words: str, files=()) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(files, words)
    return str(caught.value)
