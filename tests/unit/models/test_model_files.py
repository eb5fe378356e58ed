"""Which files make a model, and how a change of them is noticed."""

import json
import os
from pathlib import Path

import pytest

from nmt.errors import ModelError
from nmt.models.sources.files import model_files, select_files
from nmt.models.sources.fingerprint import Fingerprint
from nmt.models.sources.source import ModelSource
from nmt.storage import Storage

NAMES = ("config.json", "tokenizer.json", "model.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    for name in (*NAMES, "README.md"):
        (made / name).write_text(f"{{}} of {name}")
    return made


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"))


def test_configuration_tokenizer_and_weights_make_a_model_and_its_card_does_not(
    folder: Path, storage: Storage
) -> None:
    found = ModelSource(str(folder)).resolve(storage)
    assert set(found.content.files) == set(NAMES)
    (folder / "README.md").write_text("another card")
    assert found.resolve(storage).content == found.content


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_has_changed_since_is_named(name: str, folder: Path, storage: Storage) -> None:
    before = ModelSource(str(folder)).resolve(storage)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        ModelError,
        match=rf"the base has changed since .*: {name} has different content\. Put the old",
    ):
        before.resolve(storage)
    (folder / name).write_bytes(content)
    assert before.resolve(storage).content == before.content


def test_sizes_new_files_and_missing_ones_are_told(folder: Path, storage: Storage) -> None:
    before = ModelSource(str(folder)).resolve(storage).content
    (folder / "config.json").write_text("{}")
    (folder / "generation_config.json").write_text("{}")
    (folder / "tokenizer.json").unlink()
    now = Fingerprint.of(folder, model_files(folder, "m").names)
    assert now.changes_since(before) == (
        "config.json has 2 bytes instead of 17, generation_config.json is new, "
        "tokenizer.json is missing"
    )
    assert now.digest != before.digest


def test_a_file_with_the_old_size_and_time_is_read_again(folder: Path) -> None:
    weights = folder / "model.safetensors"
    before = Fingerprint.of(folder, [weights.name])
    about = weights.stat()
    weights.write_bytes(b"x" * about.st_size)
    os.utime(weights, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert Fingerprint.of(folder, [weights.name]) != before


def test_a_folder_that_is_gone_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        ModelSource(str(tmp_path / "gone")).resolve(Storage(str(tmp_path)))


def test_a_stored_model_that_was_made_again_is_noticed(storage: Storage) -> None:
    def make(content: str) -> None:
        with storage.commit("run/base/best") as made:
            (made / "model.safetensors").write_text(content)

    make("first")
    before = ModelSource("run/base/best", stored=True).resolve(storage)
    make("other")
    with pytest.raises(ModelError, match=r"model.safetensors has different content"):
        before.resolve(storage)


def test_a_record_of_a_model_means_the_same_on_another_machine(
    folder: Path, storage: Storage
) -> None:
    record = ModelSource(str(folder)).resolve(storage).as_record()
    assert record["folder"] is None
    assert json.loads(json.dumps(record)) == record
    assert set(record["fingerprint"]["files"]) == set(NAMES)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["model.safetensors", "pytorch_model.bin"], ["model.safetensors"]),
        (["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"], ["pytorch_model.bin"]),
        (
            ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin",
             "pytorch_model-00002-of-00002.bin", "training_args.bin"],
            ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin",
             "pytorch_model.bin.index.json"],
        ),
        (
            ["model.safetensors.index.json", "model-00001-of-00001.safetensors", "model.onnx",
             "pytorch_model.bin", "original/model.safetensors"],
            ["model-00001-of-00001.safetensors", "model.safetensors.index.json"],
        ),
    ],
)  # fmt: skip
def test_of_a_repository_only_one_kind_of_weights_is_wanted(
    names: list[str], wanted: list[str]
) -> None:
    others = ["config.json", "sentencepiece.bpe.model", "tokenizer_config.json"]
    ignored = ["README.md", ".gitattributes"]
    assert select_files([*names, *others, *ignored]) == sorted([*wanted, *others])


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        ('{"weight_map": {"a": "model-1.safetensors"}}', r"lacks model-1.safetensors, which"),
        ('{"weight_map": {"a": "../model-1.safetensors"}}', "names files in other folders"),
        ('{"weight_map": {}}', "is damaged"),
        ('{"weight_map": {"a": 1}}', "is damaged"),
        ("[]", "is damaged"),
        ("{", "is damaged"),
    ],
)
def test_an_index_that_does_not_lead_to_weights_is_refused(
    index: str, reason: str, folder: Path
) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelError, match=rf"model.name_or_path=m: .*{reason}"):
        model_files(folder, "m")


def test_a_folder_without_weights_says_which_files_it_lacks(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "tf_model.h5")
    with pytest.raises(ModelError, match=r"neither model.safetensors nor pytorch_model.bin"):
        model_files(folder, "m")
