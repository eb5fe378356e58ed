"""Test sets are read whole, and with every character as it is in their files."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from nmt.config import DataConfig
from nmt.config import TestSetConfig as NamedSet
from nmt.data.prepare import prepare
from nmt.data.test_sets import TestSet, held_out_set, read_test_set
from nmt.errors import DataError
from tests.support.sentences import distinct_pairs

DATA = DataConfig()


def write(folder: Path, name: str, content: str | bytes) -> str:
    encoded = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(encoded)
    return str(folder / name)


def read(path: str, **settings: object) -> TestSet:
    return read_test_set("news", NamedSet.model_validate({"path": path, **settings}), DATA)


def test_text_files_keep_every_line_and_every_character(tmp_path: Path) -> None:
    odd = ["a\u2028b\x0bc\x85d", "e\u0301\xad\ufeff", "x\ry"]
    lines = ["  two  spaces ", "", "<b>&amp;</b>", *odd]
    source = write(tmp_path, "x.en", "\n".join(lines) + "\n")
    target = write(tmp_path, "x.ta", "\n".join(["அ", "", "\tஇ", "ஈ", "உ", "ஊ"]))
    test_set = read(source, target_path=target)
    assert test_set.sources == tuple(lines)
    assert test_set.references == (("அ", "", "\tஇ", "ஈ", "உ", "ஊ"),)


def test_repeated_and_overlong_sentences_are_kept(tmp_path: Path) -> None:
    content = "en\tta\n" + "yes\tஆம்\n" * 3 + f"{'w' * 9000}\tஅ\n"
    test_set = read(write(tmp_path, "x.tsv", content))
    assert len(test_set) == 4


def test_rows_with_empty_cells_are_kept_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    test_set = read(write(tmp_path, "x.tsv", "en\tta\na\tஅ\n\t\nb\t \n\n\n"))
    assert test_set.sources == ("a", "", "b")
    assert test_set.references == (("அ", "", " "),)
    assert "1 empty sources and 2 empty references in 3 sentences" in caplog.text


def test_a_blank_line_inside_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x.tsv, line 3: 1 columns, but .* scored whole"):
        read(write(tmp_path, "x.tsv", "en\tta\na\tஅ\n\nb\tஆ\n"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.tsv", b"en\tta\na\tb\nonly one\n"),
        ("x.csv", b'en,ta\na,b\n"open,b\n'),
        ("x.jsonl", b'{"en": "a", "ta": "b"}\n{"en": 1, "ta": "b"}\n'),
        ("x.jsonl", b'{"en": "a", "ta": "b"}\n{"en": "a"}\n'),
        ("x.jsonl", b'{"en": "a\\ud800", "ta": "b"}\n'),
        ("x.tsv", b"en\tta\na\tb\ncaf\xe9\tb\n"),
    ],
)
def test_a_damaged_row_is_refused_whatever_the_training_pairs_may_skip(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = write(tmp_path, name, content)
    data = DATA.model_copy(update={"max_bad_rows": 9})
    with pytest.raises(DataError, match=rf"{name}, line \d.*correct the row"):
        read_test_set("news", NamedSet(path=path), data)


def test_references_come_from_several_files(tmp_path: Path) -> None:
    source = write(tmp_path, "x.en", "a\nb\n")
    targets = [write(tmp_path, f"x.{n}.ta", f"{n}\n{n}{n}\n") for n in (1, 2, 3)]
    test_set = read(source, target_path=targets)
    assert test_set.references == (("1", "11"), ("2", "22"), ("3", "33"))


def test_files_of_different_lengths_are_refused_with_both_numbers(tmp_path: Path) -> None:
    source = write(tmp_path, "x.en", "a\nb\n")
    targets = [write(tmp_path, "1.ta", "1\n2\n"), write(tmp_path, "2.ta", "1\n2\n3\n")]
    with pytest.raises(DataError, match=r"x.en has 2 lines and .*2.ta has 3"):
        read(source, target_path=targets)


RECORD = {"en": "a", "ta": "அ", "ta2": "ஆ", "kind": "news", "doc": 7}


def write_records(folder: Path, form: str) -> str:
    rows = [RECORD, {**RECORD, "en": "b", "ta2": "இ", "kind": "chat"}]
    if form == "jsonl":
        return write(folder, "x.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    if form == "nested":
        nested = [
            {"translation": {key: row[key] for key in ("en", "ta", "ta2")}, "kind": row["kind"],
             "doc": 7}
            for row in rows
        ]  # fmt: skip
        return write(folder, "x.json", json.dumps(nested))
    if form == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), folder / "x.parquet")
        return str(folder / "x.parquet")
    separator = {"csv": ",", "tsv": "\t"}[form]
    lines = [separator.join(map(str, row.values())) for row in rows]
    return write(folder, f"x.{form}", "\n".join([separator.join(RECORD), *lines]))


@pytest.mark.parametrize("form", ["jsonl", "nested", "parquet", "csv", "tsv"])
def test_references_domains_and_documents_come_from_columns(tmp_path: Path, form: str) -> None:
    test_set = read(
        write_records(tmp_path, form),
        target_column=["ta", "ta2"], domain_column="kind", document_column="doc",
    )  # fmt: skip
    assert test_set.sources == ("a", "b")
    assert test_set.references == (("அ", "அ"), ("ஆ", "இ"))
    assert test_set.domains == ("news", "chat")
    assert test_set.documents == ("7", "7")


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_references_come_from_a_list_in_one_column(tmp_path: Path, form: str) -> None:
    rows = [
        {"en": "a", "ta": ["1", "2", "3"], "kind": "x"},
        {"en": "b", "ta": ["4", "5", "6"], "kind": "y"},
    ]
    if form == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    else:
        write(tmp_path, "x.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    test_set = read(str(tmp_path / f"x.{form}"), domain_column="kind")
    assert test_set.references == (("1", "4"), ("2", "5"), ("3", "6"))
    assert test_set.domains == ("x", "y")


def test_lists_of_different_numbers_of_references_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "x.jsonl", '{"en": "a", "ta": ["1", "2"]}\n{"en": "b", "ta": ["1"]}\n')
    with pytest.raises(DataError, match=r"first sentence has 2 references, and that of line 2"):
        read(path)


def test_columns_without_a_header_are_found_by_number(tmp_path: Path) -> None:
    path = write(tmp_path, "x.tsv", "news\ta\tஅ\tஆ\nchat\tb\tஇ\tஈ\n")
    test_set = read(path, source_column="2", target_column=["3", "4"], domain_column="1")
    assert test_set.references == (("அ", "இ"), ("ஆ", "ஈ"))
    assert test_set.domains == ("news", "chat")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domain_column": "kynd"}, "evaluation.sets.news.domain_column"),
        ({"target_column": ["ta", "ta3"]}, "evaluation.sets.news.target_column"),
        ({"target_column": ["ta", "ta"]}, "names 'ta' twice"),
        ({"target_column": ["ta", "en"]}, "reference 2 of .* is equal to the source"),
        ({"target_language": "en"}, "evaluation.sets.news.source_language and"),
        ({"document_column": "doc"}, "1 of 2 sentences name no document, the first is sentence 2"),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path, settings: Mapping[str, object], message: str
) -> None:
    path = write(tmp_path, "x.tsv", "en\tta\tta2\tkind\tdoc\na\tஅ\tஆ\tnews\t1\nb\tஇ\tஈ\tchat\t\n")
    with pytest.raises(DataError, match=message):
        read(path, **settings)


def test_a_column_of_a_format_without_columns_is_refused(tmp_path: Path) -> None:
    source, target = write(tmp_path, "x.en", "a\n"), write(tmp_path, "x.ta", "b\n")
    with pytest.raises(DataError, match=r"domain_column names a column, but .*x.en has none"):
        read(source, target_path=target, domain_column="kind")


TMX = """<tmx version="1.4"><header/><body>
<tu><tuv xml:lang="en"><seg> one  <ph/>two </seg></tuv><tuv xml:lang="ta"><seg>அ</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>three</seg></tuv><tuv xml:lang="de"><seg>drei</seg></tuv></tu>
</body></tmx>"""


def test_units_without_a_language_of_the_set_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        test_set = read(write(tmp_path, "x.tmx", TMX))
    assert test_set.sources == (" one  two ",)
    assert "units without one of the languages: 1" in caplog.text


def test_a_set_may_have_other_languages_than_the_data(tmp_path: Path) -> None:
    test_set = read(write(tmp_path, "x.tmx", TMX), target_language="de")
    assert (test_set.source_language, test_set.target_language) == ("eng_Latn", "deu_Latn")
    assert test_set.references == (("drei",),)


@pytest.mark.parametrize("content", ["", "en\tta\n"])
def test_a_set_without_sentences_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"is empty|no sentence pairs"):
        read(write(tmp_path, "x.tsv", content))


def test_the_digest_follows_sources_and_references(tmp_path: Path) -> None:
    sets = [read(write(tmp_path, "x.tsv", f"en\tta\n{row}\n")) for row in ("a\tb", "a\tc", "d\tb")]
    assert len({test_set.digest for test_set in sets}) == 3
    assert sets[0].digest == read(write(tmp_path, "y.jsonl", '{"en": "a", "ta": "b"}')).digest


def test_a_held_out_split_is_a_test_set(tmp_path: Path) -> None:
    pairs = distinct_pairs(200)
    for name, part in (("web", pairs[:100]), ("news", pairs[100:])):
        write(tmp_path, f"{name}.tsv", "".join(f"{p.source}\t{p.target}\n" for p in part))
    corpora = {name: {"path": str(tmp_path / f"{name}.tsv")} for name in ("web", "news")}
    data = DataConfig.model_validate({"corpora": corpora, "test_fraction": 0.2})
    prepare(data, 1, tmp_path / "out")
    whole = held_out_set("test", tmp_path / "out", "test", data)
    assert len(whole) == 40
    assert set(whole.domains or ()) == {"web", "news"}
    first = held_out_set("test", tmp_path / "out", "test", data, limit=7)
    assert first.sources == whole.sources[:7]
    assert first.references == (whole.references[0][:7],)
