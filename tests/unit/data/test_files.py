"""Files that are packed, have unusual line ends, or begin with a line for Excel."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from nmt.config import DataConfig
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

PAIRS = [Pair("one, two", "ஒன்று, இரண்டு"), Pair("three; four", "மூன்று; நான்கு")]
CONTENTS = {
    "x.csv": 'en,ta\n"one, two","ஒன்று, இரண்டு"\nthree; four,மூன்று; நான்கு\n',
    "x.tsv": "en\tta\none, two\tஒன்று, இரண்டு\nthree; four\tமூன்று; நான்கு\n",
    "x.jsonl": '{"en": "one, two", "ta": "ஒன்று, இரண்டு"}\n'
    '{"en": "three; four", "ta": "மூன்று; நான்கு"}\n',
    "x.tmx": "<tmx><body>\n"
    + "\n".join(
        f'<tu><tuv xml:lang="en"><seg>{pair.source}</seg></tuv>'
        f'<tuv xml:lang="ta"><seg>{pair.target}</seg></tuv></tu>'
        for pair in PAIRS
    )
    + "\n</body></tmx>\n",
}
TEXTS = {
    "x.en": "one, two\nthree; four\n",
    "x.ta": "ஒன்று, இரண்டு\nமூன்று; நான்கு\n",
}


def read(folder: Path, name: str, content: bytes | str, **settings: str) -> list[Pair]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_pairs(DataConfig.model_validate({"path": str(path), **settings}))["train"]


def fault(folder: Path, name: str, content: bytes | str, **settings: str) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, name, content, **settings)
    return str(caught.value)


# Ends of lines


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n", "\n"])
@pytest.mark.parametrize("name", CONTENTS)
def test_every_end_of_a_line_is_read(tmp_path: Path, name: str, end: str) -> None:
    assert read(tmp_path, name, CONTENTS[name].replace("\n", end)) == PAIRS


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_each_of_two_texts_may_have_its_own_ends(tmp_path: Path, end: str) -> None:
    target = tmp_path / "x.ta"
    target.write_text(TEXTS["x.ta"], encoding="utf-8")
    text = TEXTS["x.en"].replace("\n", end)
    assert read(tmp_path, "x.en", text, target_path=str(target)) == PAIRS


def test_an_empty_line_of_a_text_keeps_its_place(tmp_path: Path) -> None:
    target = tmp_path / "x.ta"
    target.write_bytes("அ\r\rஆ\r".encode())
    pairs = read(tmp_path, "x.en", "a\n\nb\n", target_path=str(target))
    assert pairs == [Pair("a", "அ"), Pair("", ""), Pair("b", "ஆ")]


def test_carriage_returns_count_beyond_one_chunk(tmp_path: Path) -> None:
    rows = "".join(f"{'word ' * 20}{n}\t{'சொல் ' * 20}{n}\r" for n in range(8_000))
    pairs = read(tmp_path, "x.tsv", f"en\tta\r{rows}")
    assert len(pairs) == 8_000
    assert pairs[-1] == Pair("word " * 20 + "7999", "சொல் " * 20 + "7999")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "en,ta\na\r b,அ\r ஆ\nc,இ\n"),
        ("x.csv", 'en,ta\r\n"a\r\rb","அ\rஆ"\r\nc,இ\r\n'),
        ("x.csv", 'en,ta\r"a\nb","அ\n\nஆ"\rc,இ\r'),
        ("x.tsv", "en\tta\na\r b\tஅ\r ஆ\nc\tஇ\n"),
        ("x.jsonl", '{"en": "a\rb", "ta": "அ\rஆ"}\n{"en": "c", "ta": "இ"}\n'),
    ],
)
def test_a_stray_end_in_a_cell_is_a_space(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path, name, content) == [Pair("a b", "அ ஆ"), Pair("c", "இ")]


def test_texts_of_two_kinds_of_lines_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.ta"
    target.write_bytes(("அ\r" * 30 + "ஆ\n" * 40).encode())
    message = fault(tmp_path, "x.en", "a\r" * 30 + "b\n" * 40, target_path=str(target))
    assert "x.en, line 1: contains 30 line ends of another kind" in message
    assert "tr '\\r' '\\n'" in message


def test_json_lines_with_mixed_line_ends_are_refused(tmp_path: Path) -> None:
    row = '{"en": "a b", "ta": "அ ஆ"}'
    message = fault(tmp_path, "x.jsonl", f"{row}\n{row}\n{row}\r{row}\r{row}")
    assert "line 3: more than one JSON value" in message
    assert "tr '\\r' '\\n'" in message


def test_one_file_for_both_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "x.en")
    message = fault(tmp_path, "x.en", "a\nb\n", target_path=str(tmp_path / "link"))
    assert "data.target_path and data.path name the same file" in message


# Cells


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    long = "word " * 40_000
    pairs = read(tmp_path, "x.csv", f'en,ta\n"{long}","{long}"\na b,அ ஆ\n')
    assert [len(pair.source) for pair in pairs] == [199_999, 3]


def test_an_unclosed_quote_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt.data.formats.tables.table_rows.MAX_CELL_CHARACTERS", 1000)
    message = fault(tmp_path, "x.csv", 'en,ta\na,அ\n"b,ஆ\n' + "c,இ\n" * 1000)
    assert "line 3: a cell of the row that begins here has more than 1,000 characters" in message
    assert "its quote is not closed" in message


@pytest.mark.parametrize("first", ["sep={}", '"sep={}"', "SEP={}", "sep={0}{0}{0}"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_excels_line_about_the_separator_is_heeded(
    tmp_path: Path, first: str, delimiter: str, end: str
) -> None:
    rows = [first.format(delimiter), delimiter.join(("en", "ta"))]
    rows += [f'"{pair.source}"{delimiter}"{pair.target}"' for pair in PAIRS]
    assert read(tmp_path, "x.csv", "\ufeff" + end.join(rows) + end) == PAIRS


def test_lines_are_counted_from_excels_line_on(tmp_path: Path) -> None:
    message = fault(tmp_path, "x.csv", "sep=;\nen;ta\na;அ\nb;ஆ;c\n")
    assert "line 4: 3 columns" in message


def test_excels_line_in_a_tsv(tmp_path: Path) -> None:
    assert read(tmp_path, "x.tsv", "sep=\t\n" + CONTENTS["x.tsv"]) == PAIRS
    message = fault(tmp_path, "x.tsv", "sep=;\nen;ta\na;அ\n")
    assert "line 1: 'sep=;' says that ';' separates the cells" in message
    assert ".csv" in message


# Packed


PACKINGS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("suffix", [str, str.upper, lambda _: ""])
def test_packed_files_are_recognised_by_their_content(
    tmp_path: Path, name: str, packing: str, suffix: Callable[[str], str]
) -> None:
    packed = PACKINGS[packing](CONTENTS[name].encode())
    assert read(tmp_path, name + suffix(packing), packed) == PAIRS


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_large_packed_file_of_two_frames_is_read(tmp_path: Path, packing: str) -> None:
    rows = [f"{'word ' * 20}{n}\t{'சொல் ' * 20}{n}\n".encode() for n in range(8_000)]
    pack = PACKINGS[packing]
    content = pack(b"en\tta\n" + b"".join(rows[:4000])) + pack(b"".join(rows[4000:]))
    pairs = read(tmp_path, f"x.tsv{packing}", content)
    assert len(pairs) == 8_000
    assert pairs[-1].source.endswith(" 7999")


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_incomplete_packed_file_is_refused(tmp_path: Path, packing: str) -> None:
    packed = PACKINGS[packing](CONTENTS["x.tsv"].encode() * 50)
    message = fault(tmp_path, f"x.tsv{packing}", packed[: len(packed) // 2])
    assert "x.tsv" in message
    assert "is not a complete" in message


def test_packed_texts_are_read_under_any_name(tmp_path: Path) -> None:
    target = tmp_path / "x.ta"
    target.write_bytes(gzip.compress(TEXTS["x.ta"].encode()))
    packed = gzip.compress(TEXTS["x.en"].encode())
    assert read(tmp_path, "x.en", packed, target_path=str(target)) == PAIRS


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("corpus.en"))
    return out.getvalue()


TEXT = CONTENTS["x.tsv"].encode()
FOREIGN = {
    "7z": (b"7z\xbc\xaf\x27\x1c" + TEXT, "a 7z archive"),
    "tar": (tarred(), "a tar archive, not text: unpack it (tar -xf"),
    "packed tar": (
        gzip.compress(tarred()),
        "contains a tar archive, not text: unpack it (tar -xzf",
    ),
    "packed twice": (gzip.compress(gzip.compress(TEXT)), "is packed twice"),
    "packed zip": (gzip.compress(zipped("x")), "is packed with gzip, and contains a zip archive"),
    "Excel": (zipped("xl/workbook.xml"), "an Excel workbook"),
    "Word": (zipped("word/document.xml"), "a Word document"),
    "OpenDocument": (zipped("mimetype", "content.xml"), "an OpenDocument file"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1" + TEXT, "an old Excel or Word file"),
    "Parquet": (b"PAR1\x15\x04" + TEXT, "a Parquet file"),
    "SQLite": (b"SQLite format 3\0" + TEXT, "an SQLite database"),
    "PDF": (b"%PDF-1.7\n" + TEXT, "a PDF"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.jsonl", "x.tmx", "x.zip", "corpus"])
def test_a_file_that_is_not_text_is_refused_with_its_kind(
    tmp_path: Path, name: str, kind: str
) -> None:
    content, advice = FOREIGN[kind]
    message = fault(tmp_path, name, content)
    assert advice in message
    assert "iconv" not in message


def test_the_second_text_is_looked_at_too(tmp_path: Path) -> None:
    target = tmp_path / "x.ta"
    target.write_bytes(b"7z\xbc\xaf\x27\x1c" + TEXT)
    message = fault(tmp_path, "x.en", "a\nb\n", target_path=str(target))
    assert "x.ta is a 7z archive" in message


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_a_line_larger_than_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("nmt.data.formats.files.lines._MAX_LINE_BYTES", 1000)
    content = f"en\tta{end}" + f"a\tb{end}" * 3 + "x" * 5000
    message = fault(tmp_path, "x.tsv.gz", gzip.compress(content.encode()))
    assert "line 5: more than 1,000 bytes without a line end" in message


def test_a_unit_larger_than_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt.data.formats.xml.units._MAX_UNIT_CHARACTERS", 10)
    assert "a unit has more than 10 characters" in fault(tmp_path, "x.tmx", CONTENTS["x.tmx"])
