"""Weights that a model has as PyTorch's pickles alone, as many on the hub do."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from nmt.errors import ModelError
from nmt.models.load import load_model, load_outline
from nmt.models.sources.source import ModelSource
from nmt.storage import Storage
from tests.support.models.checkpoints import Checkpoint, change_config, copied


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of this machine's cache, empty at first."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("nmt.storage.cache._cache", lambda: folder)
    return folder


def state_of(folder: Path) -> dict[str, Tensor]:
    """All weights by name, as PyTorch holds them: a tied one under each of its names."""
    return load_model(ModelSource(str(folder))).state_dict()


def one_file(state: dict[str, Tensor], folder: Path) -> None:
    torch.save(state, folder / "pytorch_model.bin")


def the_older_format(state: dict[str, Tensor], folder: Path) -> None:
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)


def two_parts(state: dict[str, Tensor], folder: Path) -> None:
    names = list(state)
    parts = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": []}
    parts["pytorch_model-00002-of-00002.bin"] = names[1::2]
    for part, own in parts.items():
        torch.save({name: state[name] for name in own}, folder / part)
    places = {name: part for part, own in parts.items() for name in own}
    index = json.dumps({"metadata": {}, "weight_map": places})
    (folder / "pytorch_model.bin.index.json").write_text(index)


def pickled(checkpoint: Path, tmp_path: Path, write: Callable[..., None] = one_file) -> Path:
    """Copy a model and write its weights as pickles instead."""
    folder = copied(checkpoint, tmp_path)
    state = state_of(checkpoint)
    (folder / "model.safetensors").unlink()
    write(state, folder)
    return folder


def assert_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("write", [one_file, the_older_format, two_parts])
@pytest.mark.parametrize("architecture", ["nllb", "marian_untied", "t5", "llama", "xlm_r"])
def test_pickled_weights_are_those_of_the_same_model_in_safetensors(
    architecture: str, write: Callable[..., None], checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = pickled(checkpoint(architecture), tmp_path, write)
    assert_equal(state_of(folder), state_of(checkpoint(architecture)))


def test_pickles_are_converted_once_and_said_to_be(
    checkpoint: Checkpoint, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    with caplog.at_level(logging.INFO):
        load_outline(ModelSource(str(folder)))
        load_model(ModelSource(str(folder)))
    assert caplog.text.count("its pickled weights were read") == 1
    assert str(folder) in caplog.text
    assert len(list(cache.glob("safetensors-*"))) == 1


def test_other_pickles_in_the_same_folder_are_converted_anew(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    before = state_of(folder)
    one_file({name: 2 * tensor for name, tensor in before.items()}, folder)
    assert_equal(state_of(folder), {name: 2 * tensor for name, tensor in before.items()})


def test_a_converted_copy_that_was_swept_away_in_part_is_made_again(
    checkpoint: Checkpoint, tmp_path: Path, cache: Path
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    before = state_of(folder)
    next(cache.glob("safetensors-*/*.safetensors")).unlink()
    assert_equal(state_of(folder), before)


def test_a_tied_weight_is_written_once_and_an_equal_one_that_is_not_tied_under_each_name(
    checkpoint: Checkpoint, tmp_path: Path, cache: Path
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    load_model(ModelSource(str(folder)))
    (written,) = cache.glob("safetensors-*/*.safetensors")
    names = load_file(written).keys()
    assert len([n for n in names if n.endswith(("shared.weight", "embed_tokens.weight"))]) == 1

    untied = pickled(checkpoint("llama"), tmp_path / "untied")
    state = state_of(checkpoint("llama"))
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    one_file(state, untied)
    assert_equal(state_of(untied), state)


def test_safetensors_are_preferred_to_pickles_beside_them(
    checkpoint: Checkpoint, tmp_path: Path, cache: Path
) -> None:
    folder = copied(checkpoint("nllb"), tmp_path)
    (folder / "pytorch_model.bin").write_bytes(b"not looked at")
    load_model(ModelSource(str(folder)))
    assert not list(cache.glob("safetensors-*"))
    assert (
        "pytorch_model.bin"
        not in ModelSource(str(folder)).resolve(Storage(str(tmp_path))).content.files
    )


class Harmful:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_runs_none(
    zipped: bool, checkpoint: Checkpoint, tmp_path: Path, cache: Path
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    content = {"model.shared.weight": Harmful(tmp_path / "made")}
    file = folder / "pytorch_model.bin"
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ModelError, match=r"restricted loader refuses pytorch_model.bin.*mkdir"
    ) as e:
        load_outline(ModelSource(str(folder)))
    assert "add_safe_globals" not in str(e.value)
    assert len(str(e.value).splitlines()) == 1
    assert not (tmp_path / "made").exists()
    assert not list(cache.glob("safetensors-*"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "pytorch_model.bin"),
        (b"<!DOCTYPE html>", "pytorch_model.bin"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pytorch_model.bin"),
    ],
)
def test_a_file_that_is_not_a_pickle_of_weights_is_refused(
    content: bytes, reason: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    (folder / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(ModelError, match=reason):
        load_outline(ModelSource(str(folder)))


def cut(folder: Path) -> None:
    file = folder / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:-1000])


def nested(folder: Path) -> None:
    torch.save({"state_dict": state_of(folder)}, folder / "pytorch_model.bin")


def a_list(folder: Path) -> None:
    torch.save([torch.zeros(1)], folder / "pytorch_model.bin")


def more_layers(folder: Path) -> None:
    change_config(folder, encoder_layers=3)


def other_widths(folder: Path) -> None:
    change_config(folder, encoder_ffn_dim=300)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "restricted loader refuses pytorch_model.bin"),
        (nested, "contains (dict|OrderedDict) under 'state_dict' instead of plain weights"),
        (a_list, "contains list instead of named weights"),
        (more_layers, "weights that config.json asks for are in none of its files, such as"),
        (other_widths, "their shapes differ from config.json"),
    ],
)
def test_pickles_that_are_not_the_models_weights_are_refused_without_loading_it(
    damage: Callable[[Path], None], reason: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path)
    damage(folder)
    with pytest.raises(ModelError, match=reason):
        load_outline(ModelSource(str(folder)))


def test_a_part_that_is_missing_is_named(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = pickled(checkpoint("nllb"), tmp_path, two_parts)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(ModelError, match=r"lacks pytorch_model-00002-of-00002.bin, which"):
        load_outline(ModelSource(str(folder)))
