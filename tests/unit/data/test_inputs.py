"""The inputs of a preparation: corpora, held-out sets and named test sets."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.config import TestSetConfig as NamedSet
from nmt.data.fingerprint import fingerprint
from nmt.data.read import Input, open_inputs
from nmt.errors import DataError


def write(folder: Path, name: str, *sources: str) -> str:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{source}\tசொல்\n" for source in sources))
    return str(path)


def opened(data: Mapping[str, object], sets: Mapping[str, str] | None = None) -> list[Input]:
    named = {name: NamedSet(path=path) for name, path in (sets or {}).items()}
    return list(open_inputs(DataConfig.model_validate(data), named))


def shown(inputs: list[Input]) -> list[tuple[str, str, list[str]]]:
    return [(given.name, given.role, [row.source for row in given.rows]) for given in inputs]


def test_corpora_come_before_held_out_and_named_sets(tmp_path: Path) -> None:
    data = {
        "corpora": {
            "web": {"path": write(tmp_path, "web.tsv", "a", "b"), "max_pairs": 1},
            "news": {"path": write(tmp_path, "news.tsv", "c")},
        },
        "test_path": write(tmp_path, "test.tsv", "d"),
    }
    inputs = opened(data, {"general": write(tmp_path, "general.tsv", "e")})
    assert shown(inputs) == [
        ("web", "corpus", ["a"]),
        ("news", "corpus", ["c"]),
        ("test", "test", ["d"]),
        ("general", "set", ["e"]),
    ]


def test_a_setting_replaces_a_split_of_the_data_set(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path / "folder", f"{split}.tsv", split)
    data = {"path": str(tmp_path / "folder"), "test_path": write(tmp_path, "other.tsv", "other")}
    assert shown(opened(data)) == [
        ("train", "corpus", ["train"]),
        ("validation", "validation", ["dev"]),
        ("test", "test", ["other"]),
    ]


def test_a_corpus_is_the_training_split_and_a_named_set_the_test_split(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path / "folder", f"{split}.tsv", split)
    folder = str(tmp_path / "folder")
    assert shown(opened({"corpora": {"web": {"path": folder}}}, {"general": folder})) == [
        ("web", "corpus", ["train"]),
        ("general", "set", ["test"]),
    ]
    assert "ignored splits: test, validation" in caplog.text


def test_a_misspelt_path_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    corpora = {
        "web": {"path": write(tmp_path, "web.tsv", "a")},
        "news": {"path": str(tmp_path / "wed.tsv")},
    }
    with pytest.raises(DataError, match="there is no file"):
        opened({"corpora": corpora})


def test_messages_name_the_settings_of_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("one,two\na,b\n")
    (tmp_path / "x.en").write_text("a\n")
    corpora = {"web": {"path": str(tmp_path / "x.csv")}}
    with pytest.raises(DataError, match=r"Set data.corpora.web.source_column and data.corpora"):
        shown(opened({"corpora": corpora}))
    corpora = {"web": {"path": str(tmp_path / "x.en"), "format": "text"}}
    with pytest.raises(DataError, match=r"set data\.corpora\.web\.target_path"):
        shown(opened({"corpora": corpora}))


def test_the_fingerprint_follows_both_files_of_a_prefix(tmp_path: Path) -> None:
    data = DataConfig(path=str(tmp_path / "x"))
    assert fingerprint(data) is None
    (tmp_path / "x.en").write_text("a\n")
    (tmp_path / "x.ta").write_text("b\n")
    first = fingerprint(data)
    (tmp_path / "x.ta").write_text("c\n")
    assert first is not None
    assert first != fingerprint(data)
