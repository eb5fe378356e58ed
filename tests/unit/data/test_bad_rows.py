"""Damaged rows: counted, shown and skipped, up to the limit that a setting gives."""

from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.data.read import Input, open_inputs
from nmt.errors import DataError

DAMAGED: dict[str, tuple[bytes, int]] = {
    "ragged.tsv": (b"en\tta\na b\tx y\nonly one cell\nc d\tz z\n", 1),
    "ragged.csv": (b"en,ta\na b,x y\na, b, c\nc d,z z\n", 1),
    "unclosed.csv": (b'en,ta\na b,x y\n"open,quote\nc d,z z\n', 1),
    "closed-later.csv": (b'en,ta\na b,x y\n"open,quote\nc d,z z\n"e f","w w"\n', 1),
    "encoding.csv": (b"en,ta\na b,x y\ncaf\xe9,x\nc d,z z\n", 1),
    "encoding.tsv": (b"en\tta\na b\tx y\ncaf\xe9\tx\nc d\tz z\n", 1),
    "broken.jsonl": (b'{"en": "a b", "ta": "x y"}\n{"en":\n[1\n{"en": "c d", "ta": "z z"}\n', 2),
    "types.jsonl": (b'{"en": "a b", "ta": "x y"}\n{"en": 1, "ta": "b"}\n"text"\n'
                    b'{"en": "c d"}\n{"en": "c d", "ta": "z z"}\n', 3),
}  # fmt: skip


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def opened(path: str, limit: int, **settings: str) -> Input:
    values = {"path": path, "max_bad_rows": limit, **settings}
    return next(open_inputs(DataConfig.model_validate(values)))


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_rows_are_skipped_and_counted(tmp_path: Path, name: str) -> None:
    content, count = DAMAGED[name]
    read = opened(write(tmp_path, name, content), 5)
    pairs = [(pair.source, pair.target) for pair in read.rows]
    assert pairs[:2] == [("a b", "x y"), ("c d", "z z")]
    assert read.bad.count == count
    assert f"{name}, line 3" in read.bad.examples[0].place or "line 2" in read.bad.examples[0].place


@pytest.mark.parametrize("name", DAMAGED)
def test_one_damaged_row_more_than_allowed_is_refused(tmp_path: Path, name: str) -> None:
    content, count = DAMAGED[name]
    path = write(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        list(opened(path, count - 1).rows)
    if count == 1:
        assert str(caught.value).startswith(path)
    else:
        assert f"{count} damaged rows, but data.max_bad_rows allows {count - 1}. The first: " in (
            str(caught.value)
        )
    assert "data.max_bad_rows" in str(caught.value)


def test_a_row_that_a_quote_swallowed_is_read(tmp_path: Path) -> None:
    content, _ = DAMAGED["closed-later.csv"]
    read = opened(write(tmp_path, "x.csv", content), 1)
    assert [(pair.source, pair.line) for pair in read.rows] == [("a b", 2), ("c d", 4), ("e f", 5)]


def test_a_damaged_line_of_a_text_takes_its_translation_with_it(tmp_path: Path) -> None:
    path = write(tmp_path, "x.en", b"a\ncaf\xe9\nc\n")
    read = opened(path, 1, target_path=write(tmp_path, "x.ta", b"x\ny\nz\n"))
    assert [pair[:3] for pair in read.rows] == [("a", "x", 1), ("c", "z", 3)]
    assert [str(row) for row in read.bad.examples] == [
        f"{path}, line 2: the bytes from offset 5 of the file are not UTF-8. Convert it: "
        "iconv -f ITS_ENCODING -t UTF-8 x.en > utf8-x.en"
    ]


def test_a_file_of_damaged_rows_alone_is_refused_with_the_first(tmp_path: Path) -> None:
    read = opened(write(tmp_path, "x.jsonl", b'{"en"\n' * 3), 5)
    with pytest.raises(DataError, match=r"no sentence pairs.*x.jsonl, line"):
        list(read.rows)


def test_only_a_few_damaged_rows_are_kept(tmp_path: Path) -> None:
    content = b"en\tta\n" + b"one cell\n" * 100 + b"a b\tx y\n"
    read = opened(write(tmp_path, "x.tsv", content), 100)
    assert len(list(read.rows)) == 1
    assert (read.bad.count, len(read.bad.examples)) == (100, 5)
