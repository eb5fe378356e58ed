"""Two text files that belong together: by a prefix, in a folder, or in a zip archive."""

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

EN, TA = "one two\nthree\n", "ஒன்று இரண்டு\nமூன்று\n"
PAIRS = [Pair("one two", "ஒன்று இரண்டு"), Pair("three", "மூன்று")]


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def write_zip(path: Path, files: Mapping[str, str | bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def read(path: Path, **settings: str) -> dict[str, list[Pair]]:
    return read_pairs(DataConfig.model_validate({"path": str(path), **settings}))


def fault(path: Path, **settings: str) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **settings)
    return str(caught.value)


NAMES = [
    ("corpus.en", "corpus.ta"),
    ("corpus.eng_Latn", "corpus.tam_Taml"),
    ("corpus.en-ta.en", "corpus.en-ta.ta"),
    ("corpus.en.txt", "corpus.ta.txt"),
]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("place", ["prefix", "folder", "archive", "archive in a folder"])
def test_two_files_are_found_by_their_languages(
    tmp_path: Path, names: tuple[str, str], place: str
) -> None:
    files = dict(zip(names, (EN, TA), strict=True))
    if place == "archive":
        write_zip(tmp_path / "x.zip", {**files, "README": "about", "LICENSE": "text"})
        assert read(tmp_path / "x.zip") == {"train": PAIRS}
    elif place == "archive in a folder":
        write_zip(tmp_path / "x.zip", files)
        write(tmp_path, {"more.csv": "en,ta\nfour,நான்கு\n"})
        assert read(tmp_path) == {"train": [Pair("four", "நான்கு"), *PAIRS]}
    else:
        write(tmp_path, {**files, "README.md": "about"})
        assert read(tmp_path / "corpus" if place == "prefix" else tmp_path) == {"train": PAIRS}


def test_packed_files_are_found_by_a_prefix(tmp_path: Path) -> None:
    write(tmp_path, {"corpus.en.gz": gzip.compress(EN.encode()), "corpus.ta": TA})
    assert read(tmp_path / "corpus") == {"train": PAIRS}


def test_a_prefix_in_the_current_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"corpus.en": EN, "corpus.ta": TA, "corpus2.en": "x\n"})
    monkeypatch.chdir(tmp_path)
    assert read(Path("corpus")) == {"train": PAIRS}
    assert read(Path("corpus"), source_language="ta", target_language="en") == {
        "train": [Pair(pair.target, pair.source) for pair in PAIRS]
    }


@pytest.mark.parametrize(
    "names",
    [
        ("train_en.txt", "train_ta.txt"),
        ("en/train.txt", "ta/train.txt"),
        ("train/eng_Latn.train", "train/tam_Taml.train"),
        ("train.src", "train.tgt"),
    ],
)
def test_languages_elsewhere_in_the_names_are_found_in_a_folder(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    write(tmp_path, dict(zip(names, (EN, TA), strict=True)))
    assert read(tmp_path) == {"train": PAIRS}


def test_file_pairs_of_a_folder_may_be_splits(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path, {f"{split}.en": EN, f"{split}.ta": TA})
    assert read(tmp_path) == {"train": PAIRS, "validation": PAIRS, "test": PAIRS}


def test_file_pairs_and_tables_of_a_folder_are_all_read(tmp_path: Path) -> None:
    unit = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="ta"><seg>அ</seg></tuv></tu>'
    memories = {f"{n}.tmx": f"<tmx><body>{unit.format(n)}</body></tmx>" for n in ("b", "c")}
    write(tmp_path, {"a.en": EN, "a.ta": TA, **memories, "d.jsonl": '{"en": "d", "ta": "அ"}\n'})
    rest = [Pair(name, "அ") for name in "bcd"]
    assert read(tmp_path) == {"train": [*PAIRS, *rest]}


def test_files_of_other_languages_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, {"x.en": EN, "x.ta": TA, "x.de": "eins\n"})
    assert read(tmp_path) == {"train": PAIRS}
    assert "ignored files of unknown format: x.de" in caplog.text


def test_a_file_without_its_translations_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"x.en": EN, "x.ta": TA, "y.en": EN})
    assert "y.en has no file of its translations beside it" in fault(tmp_path)


def test_three_files_that_belong_together_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"x.en": EN, "x.ta": TA, "x.ta.gz": gzip.compress(TA.encode())})
    assert "x.en, x.ta, x.ta.gz could belong together" in fault(tmp_path)
    assert "x.en, x.ta, x.ta.gz could belong together" in fault(tmp_path / "x")


def test_two_file_pairs_of_a_prefix_are_refused(tmp_path: Path) -> None:
    for name in ("x.en", "x.ta", "x.en-ta.en", "x.en-ta.ta"):
        write(tmp_path, {name: EN})
    message = fault(tmp_path / "x")
    assert "x.en-ta.en, x.en-ta.ta" in message
    assert "begin so" in message


def test_file_pairs_of_other_lengths_are_refused_with_their_names(tmp_path: Path) -> None:
    write_zip(tmp_path / "x.zip", {"a/c.en": EN, "a/c.ta": TA + "x\n"})
    assert "x.zip/a/c.en has 2 lines and " in fault(tmp_path / "x.zip")


def test_a_single_file_of_an_archive_is_read_in_the_format_that_is_set(tmp_path: Path) -> None:
    write_zip(
        tmp_path / "x.zip", {"pairs.txt": "".join(f"{p.source}\t{p.target}\n" for p in PAIRS)}
    )
    assert read(tmp_path / "x.zip", format="tsv") == {"train": PAIRS}
    write_zip(tmp_path / "y.zip", {"a/pairs.csv": "en,ta\none two,ஒன்று இரண்டு\nthree,மூன்று\n"})
    assert read(tmp_path / "y.zip") == {"train": PAIRS}


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    write_zip(path, {"x.csv": "en,ta\n"})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    path.write_bytes(content)
    assert "x.zip/x.csv cannot be unpacked" in fault(path)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    write_zip(path, {"x.csv": "en,ta\n" + "a,b\n" * 1000})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    assert "x.zip is damaged" in fault(path)
