import gzip
import re

import pytest

from nmt.data.test_sets import TestSet
from nmt.errors import DataError
from nmt.scoring.hypothesis_files import read_hypotheses, read_stored_set
from nmt.scoring.stored import HypothesisRow, write_rows

SOURCES = ("one", "two", "three")


@pytest.fixture
def test_set() -> TestSet:
    return TestSet("news", SOURCES, (("ஒன்று", "இரண்டு", "மூன்று"),), "eng_Latn", "tam_Taml")


def written(tmp_path, content: bytes, name: str = "out.ta") -> str:
    (tmp_path / name).write_bytes(content)
    return str(tmp_path / name)


def hypotheses(place: str, test_set: TestSet) -> list[str]:
    return list(read_hypotheses(place, "google", test_set).hypotheses)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"a\nb\nc\n", ["a", "b", "c"]),
        (b"a\nb\nc", ["a", "b", "c"]),
        (b"a\r\nb\r\nc\r\n", ["a", "b", "c"]),
        (b"\xef\xbb\xbfa\nb\nc\n", ["a", "b", "c"]),
        (b"a\n\n\n", ["a", "", ""]),
        (b"\n\n\n", ["", "", ""]),
        (b" a \n\tb\nc  \n", [" a ", "\tb", "c  "]),
    ],
    ids=["LF", "no last end", "CRLF", "byte-order mark", "empty ones", "all empty", "spaces"],
)
def test_each_line_is_a_translation_as_it_is(tmp_path, test_set, content, texts):
    assert hypotheses(written(tmp_path, content), test_set) == texts


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line(tmp_path, test_set, mark):
    content = f"a{mark}b\nc\nd\n".encode()
    assert hypotheses(written(tmp_path, content), test_set) == [f"a{mark}b", "c", "d"]


def test_text_that_is_not_in_nfc_stays_as_it_is(tmp_path, test_set):
    assert hypotheses(written(tmp_path, "cafe\u0301\nb\nc\n".encode()), test_set)[0] == "cafe\u0301"


def test_a_packed_file_is_unpacked(tmp_path, test_set):
    packed = gzip.compress(b"a\nb\nc\n")
    assert hypotheses(written(tmp_path, packed, "out.ta.gz"), test_set) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_json_lines_of_an_evaluation_keep_the_confidence(tmp_path, test_set, name):
    rows = [
        HypothesisRow(source=s, references=("r",), hypothesis=s.upper(), confidence=-0.5)
        for s in SOURCES
    ]
    content = write_rows(rows)
    place = written(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    output = read_hypotheses(place, "tuned", test_set)
    assert list(output.hypotheses) == ["ONE", "TWO", "THREE"]
    assert output.confidences == [-0.5, -0.5, -0.5]


def test_json_lines_bring_their_test_set(tmp_path, test_set):
    rows = [
        HypothesisRow(source=s, references=("r", s), hypothesis="h", domain="news") for s in SOURCES
    ]
    place = written(tmp_path, write_rows(rows), "out.jsonl")
    found = read_stored_set(place, "mine", source_language="eng_Latn", target_language="tam_Taml")
    assert found == TestSet(
        "mine", SOURCES, (("r", "r", "r"), SOURCES), "eng_Latn", "tam_Taml", domains=("news",) * 3
    )


def test_json_lines_with_different_numbers_of_references_are_refused(tmp_path):
    rows = [HypothesisRow(source="s", references=r, hypothesis="h") for r in (("a", "b"), ("a",))]
    place = written(tmp_path, write_rows(rows), "out.jsonl")
    with pytest.raises(DataError, match="the same number of references"):
        read_stored_set(place, "x", source_language="eng_Latn", target_language="tam_Taml")


def test_json_lines_of_another_test_set_are_refused(tmp_path, test_set):
    sources = ("one", "zwei", "three")
    rows = [HypothesisRow(source=s, references=("r",), hypothesis=s) for s in sources]
    place = written(tmp_path, write_rows(rows), "out.jsonl")
    with pytest.raises(DataError, match=r"line 2: translates 'zwei', and sentence 2 .* is 'two'"):
        read_hypotheses(place, "google", test_set)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\n", "out.ta has 2 translations by 'google', and test set 'news' has 3 sentences"),
        (b"a\nb\nc\nd\n", "has 4 translations"),
        (b"a\n\xff\xfe\nc\n", "out.ta, line 2: the byte at offset 2 of the file is not UTF-8"),
        (b"", "out.ta is empty"),
        (b"\xef\xbb\xbf", "out.ta is empty"),
        (gzip.compress(b""), "out.ta is empty"),
        ("a\nb\nc\n".encode("utf-16"), "UTF-16"),
    ],
    ids=["too few", "too many", "not UTF-8", "empty", "mark alone", "empty gzip", "UTF-16"],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, test_set, content, message):
    with pytest.raises(DataError, match=message):
        read_hypotheses(written(tmp_path, content), "google", test_set)


def test_a_bad_json_line_is_refused_with_its_number(tmp_path, test_set):
    place = written(tmp_path, b'{"source": "one"}\n', "out.jsonl")
    with pytest.raises(DataError, match=re.escape("out.jsonl, line 1: not a translation")):
        read_hypotheses(place, "google", test_set)


def test_a_missing_file_is_refused_with_a_similar_name(tmp_path, test_set):
    written(tmp_path, b"a\n", "google.ta")
    with pytest.raises(DataError, match=r"there is no file .*gogle\.ta.*google\.ta"):
        read_hypotheses(str(tmp_path / "gogle.ta"), "google", test_set)


def test_a_folder_and_a_url_are_refused(tmp_path, test_set):
    with pytest.raises(DataError, match="is a folder"):
        read_hypotheses(str(tmp_path), "google", test_set)
    with pytest.raises(DataError, match="not a local file"):
        read_hypotheses("s3://bucket/out.ta", "google", test_set)
