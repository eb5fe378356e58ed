"""Rows of each format are read, translated and written again, in pieces of any size."""

import bz2
import csv
import gzip
import io
import json
import lzma
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from nmt.cli.translation import TranslationOptions
from nmt.errors import DataError
from ray_jobs.translation.places import InputFile, input_files, packed
from ray_jobs.translation.shards import (
    Source,
    added_columns,
    check_output_name,
    format_of,
    read_shards,
)

TAMIL = "மருத்துவமனை எங்கே?"
PAIR = TranslationOptions(confidence=True)


def only_file(path: Path) -> InputFile:
    [file], is_folder = input_files(str(path))
    assert not is_folder
    return file


def translate(path: Path, options: TranslationOptions = PAIR, size: int = 2) -> bytes:
    """Translate a file to upper case in shards of a size."""
    file = only_file(path)
    form = format_of(file, options, "tam_Taml")
    names = added_columns(options)
    pieces: list[bytes] = []
    for shard in read_shards([Source(file, form, path.name)], size):
        texts = shard.rows.texts
        values = [[text.upper() for text in texts] if i % 2 == 0 else [-0.5] * len(texts)
                  for i in range(len(names))]  # fmt: skip
        added = dict(zip(names, values, strict=True))
        pieces.append(packed(shard.rows.piece(added, is_first=shard.number == 0), path.name))
    sink = io.BytesIO()
    form.join(pieces, sink)
    return sink.getvalue()


@pytest.mark.parametrize("size", [1, 2, 100])
def test_lines_become_lines(tmp_path: Path, size: int) -> None:
    text = f"\ufeffone\r\n\n{TAMIL}\tx\rtwo\u2028three"
    (tmp_path / "a.txt").write_bytes(text.encode())
    found = translate(tmp_path / "a.txt", TranslationOptions(), size).decode()
    assert found == f"ONE\n\n{TAMIL}\tX\nTWO\u2028THREE\n"


def test_lines_with_a_confidence_become_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\nt\two\n")
    assert translate(tmp_path / "a.txt").decode() == "ONE\t-0.5000\nT WO\t-0.5000\n"


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_tsv_file_keeps_its_cells_and_quotes(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.tsv").write_text('id\tta\tnote\n1\tone "x\ty\n2\ttwo\n\n4\tfour\tz\n')
    found = translate(tmp_path / "a.tsv", size=size).decode().splitlines()
    assert found == [
        "id\tta\tnote\ttranslation\tconfidence",
        '1\tone "x\ty\tONE "X\t-0.5000',
        "2\ttwo\t\tTWO\t-0.5000",
        "\t\t\t\t-0.5000",
        "4\tfour\tz\tFOUR\t-0.5000",
    ]


def test_a_numbered_column_means_that_there_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("0.5\tone\n0.7\ttwo\n")
    options = TranslationOptions(column="2")
    assert translate(tmp_path / "a.tsv", options).decode() == "0.5\tone\tONE\n0.7\ttwo\tTWO\n"


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_csv_file_keeps_quoted_cells(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "ta"], ["1", 'a "b", c;\nd'], ["2", "e"]]
    with (tmp_path / "a.csv").open("w", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    found = translate(tmp_path / "a.csv", size=1).decode()
    assert list(csv.reader(io.StringIO(found), delimiter=delimiter)) == [
        ["id", "ta", "translation", "confidence"],
        ["1", 'a "b", c;\nd', 'A "B", C;\nD', "-0.5000"],
        ["2", "e", "E", "-0.5000"],
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".ndjson"])
def test_json_lines_keep_their_keys(tmp_path: Path, suffix: str) -> None:
    records = [{"id": 1, "text": TAMIL, "more": {"a": [1]}}, {"text": None}, {"id": 3}]
    path = tmp_path / f"a{suffix}"
    path.write_text("\n\n".join(json.dumps(record) for record in records))
    found = [json.loads(line) for line in translate(path).decode().splitlines()]
    added = [TAMIL, "", ""]
    assert found == [
        {**record, "translation": text, "confidence": -0.5}
        for record, text in zip(records, added, strict=True)
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_parquet_keeps_its_columns_and_types(tmp_path: Path, size: int) -> None:
    table = pa.table({"id": [1, 2, 3], "ta": ["one", None, "three"], "w": [[1], [], None]})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    found = parquet.read_table(io.BytesIO(translate(tmp_path / "a.parquet", size=size)))
    assert found.select(["id", "ta", "w"]) == table
    assert found.column("translation").to_pylist() == ["ONE", "", "THREE"]
    assert found.column("confidence").to_pylist() == [-0.5] * 3


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.jsonl", "a.csv"])
def test_an_empty_file_stays_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert translate(tmp_path / name) == b""


def test_a_parquet_file_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"ta": pa.array([], pa.string())}), tmp_path / "a.parquet")
    found = parquet.read_table(io.BytesIO(translate(tmp_path / "a.parquet")))
    assert found.column_names == ["ta", "translation", "confidence"]


@pytest.mark.parametrize(
    ("suffix", "pack", "unpack"),
    [
        (".gz", gzip.compress, gzip.decompress),
        (".bz2", bz2.compress, bz2.decompress),
        (".xz", lzma.compress, lzma.decompress),
    ],
)
def test_packed_files_are_packed_again(tmp_path: Path, suffix, pack, unpack) -> None:
    (tmp_path / f"a.txt{suffix}").write_bytes(pack(b"one\ntwo\nthree\n"))
    found = translate(tmp_path / f"a.txt{suffix}", TranslationOptions())
    assert unpack(found) == b"ONE\nTWO\nTHREE\n"


def test_a_packed_file_that_is_cut_off_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\ntwo\n" * 9999)[:-9])
    with pytest.raises(DataError, match=r"a\.txt\.gz cannot be read"):
        translate(tmp_path / "a.txt.gz")


@pytest.mark.parametrize(
    ("header", "column"),
    [("id\tta", "ta"), ("tam_Taml\ten", "tam_Taml"), ("id\tText", "Text"), ("words", "words")],
)
def test_the_column_is_found_by_its_name(tmp_path: Path, header: str, column: str) -> None:
    place = header.split("\t").index(column)
    (tmp_path / "a.tsv").write_text(f"{header}\n" + "\t".join(["x", "y"][: header.count("\t") + 1]))
    assert (
        translate(tmp_path / "a.tsv").decode().splitlines()[1].endswith(f"{'XY'[place]}\t-0.5000")
    )


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        ("a.tsv", "id\tname\n1\t2\n", "", "no column name shows the text to translate"),
        ("a.tsv", "ta\ttam\n1\t2\n", "", "ta and tam could be the text"),
        ("a.tsv", "id\tname\n1\t2\n", "nam", "there is no column 'nam'.*name"),
        ("a.tsv", "ta\ttranslation\n1\t2\n", "ta", "has a column 'translation' already"),
        ("a.jsonl", '{"ta": 1}\n', "ta", "line 1: 'ta' holds int, not text"),
        ("a.jsonl", '{"ta": "x"}\n[1]\n', "ta", r"line 2: \[1\] is not a JSON object"),
        ("a.jsonl", '{"ta": \n', "ta", "line 1: not valid JSON"),
        ("a.txt", "x\n", "ta", "plain lines, which have no columns"),
        ("a.tmx", "x\n", "", ".tmx files are not translated"),
        ("a.txt.zst", "x\n", "", ".zst files are not translated"),
    ],
)
def test_what_cannot_be_translated_is_refused(
    tmp_path: Path, name: str, content: str, column: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        translate(tmp_path / name, TranslationOptions(column=column))


def test_bytes_that_are_not_utf_8_are_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\n\xff\n")
    with pytest.raises(DataError, match=r"a.txt, line 2, offset 4: the bytes are not UTF-8"):
        translate(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("source", "output", "options", "fits"),
    [
        ("a.ta", "a.en", TranslationOptions(), True),
        ("a.ta.gz", "a.en", TranslationOptions(), True),
        ("a.ta", "a.tsv", TranslationOptions(confidence=True), True),
        ("a.ta", "a.tsv", TranslationOptions(), False),
        ("a.jsonl", "b.jsonl.gz", TranslationOptions(), True),
        ("a.jsonl", "b.tsv", TranslationOptions(), False),
        ("a.csv", "b", TranslationOptions(), False),
    ],
)
def test_the_suffix_of_the_output_must_show_its_format(
    tmp_path: Path, source: str, output: str, options: TranslationOptions, fits: bool
) -> None:
    (tmp_path / source).write_bytes(b"")
    file = only_file(tmp_path / source)
    if fits:
        check_output_name(file, output, options)
    else:
        with pytest.raises(DataError, match="the suffix shows"):
            check_output_name(file, output, options)
