"""The choice of columns by names that may mean a language or something else."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from nmt.config import DataConfig
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

SENTENCES = [
    ("I go to the market.", "Saya pergi ke pasar."),
    ("My mother cooks the rice.", "Ibu memasak nasi."),
    ("The child plays a game.", "Anak itu bermain."),
    ("The cat sleeps all day.", "Kucing itu tidur."),
]
IDENTIFIERS = {
    "number": "10000{}",
    "hash": "10ee95159f02c236da6a0b61296bd87{}",
    "uuid": "8c9e5a1e-1b1c-4f0e-9a51-2b7f0d1c9e0{}",
    "time": "2024-05-0{}T08:30:00.000Z",
    "time with a space": "2024-05-0{} 08:30:00",
    "serial": "SERIAL-000{}-AB",
    "batch": "export-batch-0-{}-b",
    "address": "https://example.org/page/{}",
    "file": "page_{}.html",
    "letters of both cases": "aBcDeF{}",
}


def write(folder: Path, kind: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    path = folder / f"x.{kind}"
    records = [dict(zip(header, row, strict=True)) for row in rows]
    if kind == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    elif kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(records), path)
    else:
        with path.open("w", newline="") as stream:
            delimiter = "\t" if kind == "tsv" else ","
            csv.writer(stream, delimiter=delimiter).writerows([header, *rows])
    return path


def read(path: Path, target: str = "id", **settings: object) -> list[Pair]:
    values = {"path": str(path), "source_language": "en", "target_language": target, **settings}
    return read_pairs(DataConfig.model_validate(values))["train"]


def fault(path: Path, target: str = "id", **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        read(path, target, **settings)
    return str(caught.value)


def rows_with(values: Sequence[str]) -> list[tuple[str, ...]]:
    return [(value, *pair) for value, pair in zip(values, SENTENCES[: len(values)], strict=True)]


NUMBERS = rows_with(["1", "2", "3", "4"])


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("header", "target"),
    [
        (("id", "english", "indonesian"), "id"),
        (("id", "en", "Indonesian"), "id"),
        (("ts", "english", "tsonga"), "ts"),
        (("sn", "english", "shona"), "sn"),
        (("run", "english", "rundi"), "run"),
        (("cat", "en", "catalan"), "ca"),
        (("no", "source", "target"), "no"),
        (("id", "src", "tgt"), "id"),
        (("sentence_id", "en", "indonesian"), "id"),
        (("id", "en", "target"), "id"),
    ],
)
def test_a_code_and_another_name_for_one_side_are_refused_together(
    tmp_path: Path, kind: str, header: tuple[str, ...], target: str
) -> None:
    message = fault(write(tmp_path, kind, header, NUMBERS), target)
    assert f"columns {header[2]!r} and {header[0]!r} could both be" in message or (
        f"columns {header[0]!r} and {header[2]!r} could both be" in message
    )
    assert "data.target_column" in message


def test_the_source_side_is_looked_at_alike(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", ("id", "en", "indonesian"), NUMBERS)
    message = fault(path, "en", source_language="id")
    assert "'indonesian' and 'id' could both be the source" in message
    assert "data.source_column" in message


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("value", IDENTIFIERS.values(), ids=list(IDENTIFIERS))
def test_a_code_column_of_identifiers_is_refused(tmp_path: Path, kind: str, value: str) -> None:
    rows = rows_with([value.format(number) for number in range(4)])
    message = fault(write(tmp_path, kind, ("id", "en", "kalimat"), rows))
    assert "column 'id' was found by its name for the target (ind_Latn)" in message
    assert "data.target_column" in message


def test_identifiers_beyond_the_pairs_that_are_read_do_not_matter(tmp_path: Path) -> None:
    rows = [(target, source) for source, target in SENTENCES] + [("17", "x")] * 200
    path = write(tmp_path, "csv", ("id", "en"), rows)
    assert len(read(path, max_pairs=4)) == 4


def test_identifiers_are_refused_within_the_pairs_that_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", ("id", "en", "kalimat"), NUMBERS)
    assert "column 'id'" in fault(path, max_pairs=3)


@pytest.mark.parametrize(
    "values",
    [
        ["V1StGXR8", "Z5jdHi6BmyT", "abcdEFGhij", "qwertzui"],
        ["news-item-one", "news-item-two", "sport-item", "food-item"],
        ["Alice", "Bob", "Carol", "Dave"],
    ],
)
def test_single_words_beside_sentences_are_refused(tmp_path: Path, values: list[str]) -> None:
    message = fault(write(tmp_path, "csv", ("id", "en", "kalimat"), rows_with(values)))
    assert "'id' was found by its name for the target (ind_Latn), but holds single words" in message


def test_a_column_of_labels_is_refused(tmp_path: Path) -> None:
    rows = [(("in the news", "of sport")[n % 2], f"This is sentence {n}.") for n in range(40)]
    message = fault(write(tmp_path, "jsonl", ("cat", "en"), rows), "ca")
    assert "holds a few labels rather than sentences ('in the news', 'of sport')" in message


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_a_code_that_is_the_language_is_read(tmp_path: Path, kind: str) -> None:
    rows = [(target, source) for source, target in SENTENCES]
    path = write(tmp_path, kind, ("id", "en"), rows)
    assert read(path) == [Pair(*sentence) for sentence in SENTENCES]


def test_a_dictionary_of_single_words_is_read(tmp_path: Path) -> None:
    rows = [("rumah", "house"), ("kura-kura", "turtle"), ("Ya.", "Yes."), ("COVID-19", "COVID-19")]
    assert len(read(write(tmp_path, "csv", ("id", "en"), rows))) == 4


def test_a_full_code_is_preferred_to_a_bare_one(tmp_path: Path) -> None:
    header = ("id", "sentence_eng_Latn", "sentence_ind_Latn")
    path = write(tmp_path, "jsonl", header, NUMBERS)
    assert read(path) == [Pair(*sentence) for sentence in SENTENCES]


def test_where_a_row_comes_from_is_not_its_source(tmp_path: Path) -> None:
    rows = [("web", *sentence) for sentence in SENTENCES]
    path = write(tmp_path, "csv", ("source", "en", "id"), rows)
    assert read(path) == [Pair(*sentence) for sentence in SENTENCES]


def test_the_setting_has_the_last_word(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", ("id", "english", "indonesian"), NUMBERS)
    assert read(path, target_column="indonesian")[0] == Pair(*SENTENCES[0])
    assert read(path, target_column="id")[0] == Pair(SENTENCES[0][0], "1")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "tsv", ("id", "en"), [("a b", "c d")])
    path.write_text(path.read_text().replace("id\ten", "id\ten\ten").replace("c d", "c d\te f"))
    assert "2 columns are called 'en'" in fault(path)


def test_a_number_instead_of_text_is_refused_with_the_setting_that_helps(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": 1, "en": "one two", "kalimat": "satu dua"}\n')
    message = fault(path)
    assert "'id' holds int 1, not text: set data.target_column" in message
    assert "'kalimat'" in message
