import csv
import gzip
import io
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import DataConfig
from nmt.data.formats.corpus import Corpus
from nmt.data.formats.open import find_format
from nmt.data.formats.tables.table import read_csv
from nmt.data.formats.xml.tmx import read_tmx
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

PAIRS = [
    Pair("Good morning.", "காலை வணக்கம்."),
    Pair('She said, "come in", and left.', '"உள்ளே வா" என்று சொல்லிவிட்டுப் போனாள்.'),
    Pair("a < b & c", "அ < ஆ & இ"),
]
SENTENCES = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from(",;\"'\n"), min_size=1
)


def read(path: Path | str, **settings: object) -> list[Pair]:
    return read_pairs(DataConfig.model_validate({"path": str(path), **settings}))["train"]


def tmx(pairs: list[Pair], source: str = "en", target: str = "ta", head: str = "") -> str:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;")

    units = "".join(
        f'<tu><tuv xml:lang="{source}"><seg>{escape(pair.source)}</seg></tuv>'
        f'<tuv xml:lang="{target}"><seg>{escape(pair.target)}</seg></tuv></tu>'
        for pair in pairs
    )
    return f'<?xml version="1.0"?>{head}<tmx version="1.4"><header/><body>{units}</body></tmx>'


def table(rows: list[tuple[str, ...]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def lines(rows: list[object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


SIDES = [(pair.source, pair.target) for pair in PAIRS]
FILES = {
    "iso.jsonl": lines([{"en": s, "ta": t} for s, t in SIDES]),
    "flores.json": lines([{"eng_Latn": s, "tam_Taml": t} for s, t in SIDES]),
    "nested.jsonl": lines([{"translation": {"en": s, "ta": t}, "id": 1} for s, t in SIDES]),
    "nested-flores.jsonl": lines(
        [{"translation": {"tam_Taml": t, "eng_Latn": s}} for s, t in SIDES]
    ),
    "usual.jsonl": lines([{"src": s, "tgt": t} for s, t in SIDES]),
    "names.jsonl": lines([{"English": s, "Tamil": t, "score": 1} for s, t in SIDES]),
    "flores-hub.jsonl": lines([{"sentence_eng_Latn": s, "sentence_tam_Taml": t} for s, t in SIDES]),
    "mixed.jsonl": lines([{"en": s, "ta": t} if s < "b" else {"ta": t, "en": s} for s, t in SIDES]),
    "header.csv": table([("id", "en", "ta"), *(("7", s, t) for s, t in SIDES)]),
    "swapped.csv": table([("Tamil", "English"), *((t, s) for s, t in SIDES)]),
    "usual.csv": table([("source", "target"), *SIDES]),
    "semicolons.csv": table([("en", "ta"), *SIDES], ";"),
    "bare.csv": table(SIDES),
    "quoted.tsv": table([("en", "ta"), *SIDES], "\t"),
    "raw.tsv": "".join(f"{s}\t{t}\n" for s, t in [("en-US", "ta-IN"), *SIDES]),
    "plain.tmx": tmx(PAIRS),
    "regions.tmx": tmx(PAIRS, "EN-GB", "ta-IN"),
    "doctype.tmx": tmx(PAIRS, head='<!DOCTYPE tmx SYSTEM "tmx14.dtd">'),
}


@pytest.mark.parametrize("name", FILES)
def test_every_shape_gives_the_same_pairs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    assert read(path) == PAIRS


@pytest.mark.parametrize("name", ["iso.jsonl", "header.csv", "raw.tsv", "plain.tmx"])
def test_packed_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(FILES[name].encode()))
    assert read(path) == PAIRS


@pytest.mark.parametrize("name", ["iso.jsonl", "header.csv", "raw.tsv", "plain.tmx"])
def test_byte_order_marks_and_windows_line_ends_are_passed_over(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = FILES[name].replace("\r\n", "\n").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read(path) == PAIRS


@pytest.mark.parametrize("names", [("x.en", "x.ta"), ("a.txt", "b.txt"), ("x.en.gz", "x.ta")])
def test_two_text_files_are_read_side_by_side(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, column in zip(names, zip(*SIDES, strict=True), strict=True):
        raw = "\n".join(column).encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    assert read(tmp_path / names[0], target_path=str(tmp_path / names[1])) == PAIRS


def test_unicode_line_separators_do_not_shift_text_files(tmp_path: Path) -> None:
    (tmp_path / "x.en").write_text("one\u2028more\x0cline\ntwo\n", encoding="utf-8")
    (tmp_path / "x.ta").write_text("ஒன்று\nஇரண்டு\n", encoding="utf-8")
    pairs = read(tmp_path / "x.en", target_path=str(tmp_path / "x.ta"))
    assert pairs == [Pair("one more line", "ஒன்று"), Pair("two", "இரண்டு")]


def test_text_is_composed_on_the_way_in(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"en": " go\\u200b ", "ta": "\\u0b95\\u0bc6\\u0bbe"}\n')
    assert read(path) == [Pair("go", "\u0b95\u0bca")]


def test_settings_choose_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(table([("en", "ta", "ta2"), ("one", "no", "ஒன்று")]))
    assert read(path, target_column="ta2") == [Pair("one", "ஒன்று")]


def test_settings_choose_keys_inside_translation(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(lines([{"translation": {"a": "one", "b": "ஒன்று"}}]))
    assert read(path, source_column="a", target_column="b") == [Pair("one", "ஒன்று")]


def test_a_language_code_is_preferred_to_a_common_name(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(lines([{"source": "web", "en": "one", "ta": "ஒன்று"}]))
    assert read(path) == [Pair("one", "ஒன்று")]


def test_the_other_direction_reads_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(FILES["iso.jsonl"], encoding="utf-8")
    pairs = read(path, source_language="ta", target_language="en")
    assert pairs == [Pair(pair.target, pair.source) for pair in PAIRS]


def test_a_bare_chinese_tag_serves_the_traditional_script(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(lines([{"en": "one", "zh": "一個"}]))
    assert read(path, target_language="zho_Hant") == [Pair("one", "一個")]


def test_null_is_an_empty_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(lines([{"en": "one", "ta": None}]))
    assert read(path) == [Pair("one", "")]


def test_inline_codes_of_translation_memories_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "x.tmx"
    segment = "Press <bpt i='1'>{b}</bpt><hi>Start</hi><ept i='1'>{/b}</ept> now."
    text = tmx([Pair("SEGMENT", "தொடங்கு")]).replace("SEGMENT", segment)
    path.write_text(text, encoding="utf-8")
    assert read(path) == [Pair("Press Start now.", "தொடங்கு")]


def test_units_without_one_language_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.tmx"
    lone = '<tu><tuv xml:lang="en"><seg>alone</seg></tuv></tu>'
    path.write_text(tmx(PAIRS).replace("<body>", f"<body>{lone}"), encoding="utf-8")
    assert read(path) == PAIRS


def test_translation_memories_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "x.tmx"
    path.write_text(tmx([Pair("one " * 20, "ஒன்று " * 20)] * 5000), encoding="utf-8")
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_tmx(Corpus(str(path), "eng_Latn", "tam_Taml")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 5000
    assert peak < path.stat().st_size / 2


def test_max_pairs_limits_the_pairs_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(FILES["iso.jsonl"] + "{broken", encoding="utf-8")
    assert read(path, max_pairs=2) == PAIRS[:2]


def test_validation_and_test_may_have_other_formats(tmp_path: Path) -> None:
    for name in ("iso.jsonl", "plain.tmx", "header.csv"):
        (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    data = DataConfig(
        path=str(tmp_path / "iso.jsonl"),
        validation_path=str(tmp_path / "plain.tmx"),
        test_path=str(tmp_path / "header.csv"),
    )
    assert read_pairs(data) == {"train": PAIRS, "validation": PAIRS, "test": PAIRS}


@pytest.mark.parametrize(
    ("path", "name"),
    [("owner/name", "datasets"), ("owner/name:en-ta", "datasets")],
)
def test_a_path_that_is_not_there_may_be_a_name(path: str, name: str) -> None:
    assert find_format(Corpus(path, "eng_Latn", "tam_Taml")) == name


def test_the_format_setting_overrules_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(FILES["raw.tsv"], encoding="utf-8")
    assert read(path, format="tsv") == PAIRS


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=5))
def test_every_csv_that_a_writer_quotes_is_read_back(rows: list[tuple[str, str]]) -> None:
    read_back = round_trip(table([("en", "ta"), *rows]), read_csv)
    assert read_back == [row for row in rows if any(cell.strip() for cell in row)]


def round_trip(text: str, reader: Callable[..., object]) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(text.encode())
        sides = {"source_column": "en", "target_column": "ta"}  # whatever the cells hold
        rows = list(reader(Corpus(str(path), "eng_Latn", "tam_Taml", **sides)))  # type: ignore[call-overload]
        return [(row.source, row.target) for row in rows]
