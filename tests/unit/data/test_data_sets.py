"""Folders and names that the `datasets` library reads; no test asks the real hub."""

import csv
import gzip
import io
import json
import re
import shutil
import threading
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
from pyarrow import parquet

from nmt.config import DataConfig
from nmt.data.formats.data_sets import hub
from nmt.data.prepare import prepare
from nmt.data.saved import load_pairs
from nmt.errors import DataError, UnavailableError
from nmt.network import hub as nmt_hub
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs
from tests.support.sentences import distinct_pairs

PAIRS = [Pair(f"sentence {number}", f"வாக்கியம் {number}") for number in range(4)]
ROWS = [{"en": pair.source, "ta": pair.target} for pair in PAIRS]


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_folder_of_data_files_keeps_its_splits(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", ROWS[:2])
    write_lines(tmp_path / "validation.jsonl", ROWS[2:3])
    write_lines(tmp_path / "test.jsonl", ROWS[3:])
    parts = read_pairs(DataConfig(path=str(tmp_path), max_pairs=1))
    assert parts == {"train": PAIRS[:1], "validation": PAIRS[2:3], "test": PAIRS[3:]}


def test_a_changed_folder_is_read_anew(tmp_path: Path) -> None:
    for rows in (ROWS[:2], ROWS[2:]):
        write_lines(tmp_path / "train.jsonl", rows)
        assert read_pairs(DataConfig(path=str(tmp_path)))["train"][0].source == rows[0]["en"]


def test_a_saved_data_set_with_nested_columns_is_read(tmp_path: Path) -> None:
    datasets.Dataset.from_list([{"translation": row} for row in ROWS]).save_to_disk(str(tmp_path))
    assert read_pairs(DataConfig(path=str(tmp_path))) == {"train": PAIRS}


def test_a_held_out_path_reads_only_its_own_split(tmp_path: Path) -> None:
    saved = datasets.DatasetDict()
    saved["dev"] = datasets.Dataset.from_list(ROWS[:1])
    saved["devtest"] = datasets.Dataset.from_list(ROWS[1:])
    saved.save_to_disk(str(tmp_path / "flores"))
    write_lines(tmp_path / "x.jsonl", ROWS)
    data = DataConfig(path=str(tmp_path / "x.jsonl"), test_path=str(tmp_path / "flores"))
    assert read_pairs(data) == {"train": PAIRS, "test": PAIRS[1:]}


def test_a_data_set_without_train_lists_its_splits(tmp_path: Path) -> None:
    for name in ("validation", "test"):
        write_lines(tmp_path / f"{name}.jsonl", ROWS)
    with pytest.raises(DataError, match="has no train split; it has validation, test"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no files"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_folder_without_data_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x00")
    with pytest.raises(DataError, match="holds no files"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_broken_file_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"en": "a", "ta": "b"}\n{"en": ')
    with pytest.raises(DataError, match=r"train.jsonl, line 2: not a complete JSON object"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_missing_columns_in_a_folder_are_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [{"a": "x", "b": "y"}])
    with pytest.raises(DataError, match=r"train.jsonl, line 1: no columns found .*'a', 'b'"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_an_unreachable_hub_names_the_offline_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, timeout_seconds: float) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "_probe", fail)
    with pytest.raises(UnavailableError) as caught:
        read_pairs(DataConfig(path="nobody-here/no-such-corpus"))
    message = str(caught.value)
    assert "(no route)" in message
    for way in (".jsonl", "hf download nobody-here/no-such-corpus", "HF_HUB_OFFLINE=1"):
        assert way in message


def test_a_hub_that_never_answers_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(nmt_hub, "PROBE_DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(hub, "_probe", lambda name, seconds: release.wait(30) and None)
    with pytest.raises(UnavailableError, match="no answer in"):
        read_pairs(DataConfig(path="nobody-here/no-such-corpus"))
    release.set()


def test_the_error_of_a_reachable_hub_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, subset: str | None) -> None:
        raise ValueError(f"Config name is missing, pick one of ['en-ta']: {name} {subset}")

    monkeypatch.setattr(hub, "_probe", lambda name, seconds: None)
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"pick one of \['en-ta'\]: owner/name x.*:subset"):
        read_pairs(DataConfig(path="owner/name:x"))


# One reader for a file, alone or in a folder

WORDS = ["None", "null", "NaN", "NA", "n/a", "", "nan", "-", "1.50", "#N/A", "TRUE"]


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.jsonl", "x.tmx", "x.csv.gz", "x.parquet"])
def test_a_file_means_the_same_alone_and_in_a_folder(tmp_path: Path, name: str) -> None:
    rows = [(word, f'"வாக்கியம்" {n}') for n, word in enumerate(WORDS)]
    path = tmp_path / "folder" / name
    path.parent.mkdir()
    write_rows(path, rows)
    alone = read_pairs(DataConfig(path=str(path)))
    assert alone == {"train": [Pair(*row) for row in rows]}
    assert read_pairs(DataConfig(path=str(path.parent))) == alone


def write_rows(path: Path, rows: list[tuple[str, str]]) -> None:
    if ".csv" in path.name:
        out = io.StringIO()
        csv.writer(out).writerows([("en", "ta"), *rows])
        content = out.getvalue().encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    elif path.suffix == ".tsv":
        path.write_text("".join(f"{en}\t{ta}\n" for en, ta in [("en", "ta"), *rows]))
    elif path.suffix == ".jsonl":
        write_lines(path, [{"en": en, "ta": ta} for en, ta in rows])
    elif path.suffix == ".parquet":
        table = pa.Table.from_pylist([{"en": en, "ta": ta} for en, ta in rows])
        parquet.write_table(table, path)
    else:
        units = "".join(
            f'<tu><tuv xml:lang="en"><seg>{en}</seg></tuv>'
            f'<tuv xml:lang="ta"><seg>{ta}</seg></tuv></tu>'
            for en, ta in rows
        )
        path.write_text(f"<tmx><body>{units}</body></tmx>")


def test_every_kind_of_file_in_a_folder_is_read(tmp_path: Path) -> None:
    names = ["a.csv", "b.jsonl", "c.tsv", "d/e.tmx", "f.parquet", "g.csv.gz"]
    (tmp_path / "d").mkdir()
    rows = [[(f"text {n} of {name}", f"வாக்கியம் {n}") for n in range(5)] for name in names]
    for name, content in zip(names, rows, strict=True):
        write_rows(tmp_path / name, content)
    read = read_pairs(DataConfig(path=str(tmp_path)))
    assert read == {"train": [Pair(*row) for content in rows for row in content]}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("b.txt", "cannot be read from a folder"),
        ("b.ta", "has no file of its translations beside it"),
        ("b.xlsx", "cannot be read from a folder"),
        ("b.tar.gz", "cannot be read from a folder"),
        ("b.arrow", "cannot be read from a folder"),
    ],
)
def test_a_kind_that_a_folder_cannot_hold_is_refused_with_both_names(
    tmp_path: Path, other: str, reason: str
) -> None:
    write_lines(tmp_path / "a.jsonl", ROWS)
    (tmp_path / other).write_text("something")
    expected = rf"holds a\.jsonl, which can be read, but {re.escape(other)} {reason}"
    with pytest.raises(DataError, match=expected):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_second_text_beside_a_folder_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "x.ta").write_text("x")
    with pytest.raises(DataError, match=r"unset data.target_path"):
        read_pairs(DataConfig(path=str(tmp_path), target_path=str(tmp_path / "x.ta")))


def test_files_beside_a_saved_data_set_are_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path))
    assert read_pairs(DataConfig(path=str(tmp_path))) == {"train": PAIRS}
    write_lines(tmp_path / "more.jsonl", ROWS)
    with pytest.raises(DataError, match=r"save_to_disk wrote and also more.jsonl"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_saved_data_set_in_a_folder_of_files_is_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(
        DataError, match="for a data set of save_to_disk, name the folder that it wrote"
    ):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_splits_of_other_names_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved = datasets.DatasetDict()
    for name in ("train", "noisy", "dev"):
        saved[name] = datasets.Dataset.from_list(ROWS)
    saved.save_to_disk(str(tmp_path))
    assert sorted(read_pairs(DataConfig(path=str(tmp_path)))) == ["train", "validation"]
    assert "ignored splits: noisy" in caplog.text


def test_descriptions_and_hidden_files_are_not_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "a.jsonl", ROWS)
    for name in ("README.md", "LICENSE.txt", "dataset_infos.json", ".a.jsonl", "__MACOSX/a.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("---\nlicense: mit\n---\n")
    assert read_pairs(DataConfig(path=str(tmp_path))) == {"train": PAIRS}
    assert caplog.text == ""


def test_files_of_unknown_format_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "a.sgml").write_text("something")
    assert read_pairs(DataConfig(path=str(tmp_path))) == {"train": PAIRS}
    assert "ignored files of unknown format: a.sgml" in caplog.text


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train.jsonl", "dev.jsonl", "devtest.jsonl"),
        ("corpus.train.en-ta.jsonl", "corpus.val.en-ta.jsonl", "corpus-test-2024.jsonl"),
        ("train/a.jsonl", "validation/a.jsonl", "test/a.jsonl"),
        ("data/train-00000-of-00001.jsonl", "data/valid-00.jsonl", "data/TEST.jsonl"),
    ],
)
def test_names_of_files_and_folders_tell_the_splits(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    for name, rows in ((train, ROWS[:2]), (validation, ROWS[2:3]), (test, ROWS[3:])):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_lines(tmp_path / name, rows)
    read = read_pairs(DataConfig(path=str(tmp_path)))
    assert read == {"train": PAIRS[:2], "validation": PAIRS[2:3], "test": PAIRS[3:]}


@pytest.mark.parametrize("name", ["more.jsonl", "train-test.jsonl"])
def test_a_file_whose_split_is_not_clear_is_refused(tmp_path: Path, name: str) -> None:
    write_lines(tmp_path / "train.jsonl", ROWS[:2])
    write_lines(tmp_path / "test.jsonl", ROWS[2:3])
    write_lines(tmp_path / name, ROWS[3:])
    with pytest.raises(
        DataError, match=rf"files for train, test, but the split of {name} is not clear"
    ):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "corpus" / "part").mkdir(parents=True)
    write_lines(tmp_path / "corpus" / "part" / "a.jsonl", ROWS[:2])
    (tmp_path / "elsewhere").mkdir()
    write_lines(tmp_path / "elsewhere" / "b.jsonl", ROWS[2:])
    (tmp_path / "corpus" / "zlink").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "part" / "loop").symlink_to(tmp_path / "corpus")
    assert read_pairs(DataConfig(path=str(tmp_path / "corpus"))) == {"train": PAIRS}


def card(configs: str) -> str:
    return f"---\nlicense: mit\nconfigs:\n{configs}---\n# A corpus\n"


def test_the_card_of_a_data_set_tells_its_splits(tmp_path: Path) -> None:
    write_lines(tmp_path / "first.jsonl", ROWS[:3])
    write_lines(tmp_path / "second.jsonl", ROWS[3:])
    (tmp_path / "README.md").write_text(
        card(
            "- config_name: default\n  data_files:\n"
            "  - {split: train, path: 'fir*.jsonl'}\n  - {split: test, path: [second.jsonl]}\n"
        )
    )
    read = read_pairs(DataConfig(path=str(tmp_path)))
    assert read == {"train": PAIRS[:3], "test": PAIRS[3:]}


def test_a_data_set_of_several_subsets_lists_them(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "README.md").write_text(
        card("- {config_name: en-ta, data_files: a.jsonl}\n- {config_name: en-hi, data_files: b}\n")
    )
    with pytest.raises(DataError, match=r"2 subsets \(en-ta, en-hi\)"):
        read_pairs(DataConfig(path=str(tmp_path)))


# Paths that a library could take for patterns or addresses

ODD_NAMES = ["corpus [v2]", "a*b", "what?", "runs::2024", "{a,b}", "a#b%20c", "file::zip", "~x"]


@pytest.fixture(scope="module")
def saved_rows(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Data sets of so many rows that `save_to_disk` wrote."""
    folder = tmp_path_factory.mktemp("saved")
    for rows in (ROWS, ROWS[:1]):
        datasets.Dataset.from_list(rows).save_to_disk(str(folder / str(len(rows))))
    return {int(path.name): path for path in folder.iterdir()}


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("kind", ["a.jsonl", "a.csv", "a.parquet", "saved"])
def test_special_characters_in_a_path_have_no_meaning(
    tmp_path: Path, saved_rows: dict[int, Path], name: str, kind: str
) -> None:
    decoys = ("corpus 2", "corpus v", "axb", "whatx", "runs", "a", "file")
    for folder, rows in ((name, ROWS), *((decoy, ROWS[:1]) for decoy in decoys)):
        (tmp_path / folder).mkdir()
        sides = [(row["en"], row["ta"]) for row in rows]
        if kind == "saved":
            shutil.copytree(saved_rows[len(rows)], tmp_path / folder, dirs_exist_ok=True)
        else:
            write_rows(tmp_path / folder / kind, sides)
    assert read_pairs(DataConfig(path=str(tmp_path / name))) == {"train": PAIRS}
    if kind != "saved":
        assert read_pairs(DataConfig(path=str(tmp_path / name / kind))) == {"train": PAIRS}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_pairs_are_written_to_a_path_with_special_characters(tmp_path: Path, name: str) -> None:
    rows = [{"en": pair.source, "ta": pair.target} for pair in distinct_pairs(40)]
    write_lines(tmp_path / "x.jsonl", rows)
    prepare(DataConfig(path=str(tmp_path / "x.jsonl")), 1, tmp_path / name / "out")
    assert len(load_pairs(tmp_path / name / "out", "train")) == 36
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "x.jsonl"])
