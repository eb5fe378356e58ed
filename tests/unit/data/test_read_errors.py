"""Every bad input is a DataError that names file, place, problem and remedy."""

import gzip
import re
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.errors import DataError
from tests.support.inputs import read_pairs

GOOD = '{"en": "one", "ta": "ஒன்று"}\n'


def fault(path: Path | str, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        read_pairs(DataConfig.model_validate({"path": str(path), **settings}))
    message = str(caught.value)
    assert len(message) < 1000
    return message


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_missing_file_gets_near_names(tmp_path: Path) -> None:
    written(tmp_path, "train.jsonl", GOOD)
    message = fault(tmp_path / "trian.jsonl")
    assert "trian.jsonl" in message
    assert "'train.jsonl'" in message


def test_a_missing_file_gets_the_folders_names_when_none_is_near(tmp_path: Path) -> None:
    written(tmp_path, "corpus.tmx", "")
    assert "The folder holds corpus.tmx" in fault(tmp_path / "x.jsonl")


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert f"nor a folder {tmp_path / 'gone'}" in fault(tmp_path / "gone" / "x.jsonl")


def test_a_missing_second_file_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, "x.en", "one\n")
    assert "no file" in fault(path, target_path=str(tmp_path / "x.ta"))


def test_a_misspelt_relative_file_is_not_a_data_set_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no file" in fault("corpora/train.jsonl")


def test_a_missing_entry_of_a_folder_is_not_a_data_set_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpora" / "english-tamil").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert "'english-tamil'" in fault("corpora/english-tamli")


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.tsv", "x.tmx", "x.jsonl.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "is empty" in fault(written(tmp_path, name, ""))


def test_a_file_of_blank_lines_contains_no_pairs(tmp_path: Path) -> None:
    assert "no sentence pairs" in fault(written(tmp_path, "x.jsonl", "\n\n"))


def test_a_header_alone_contains_no_pairs(tmp_path: Path) -> None:
    assert "no sentence pairs" in fault(written(tmp_path, "x.csv", "en,ta\n"))


def test_an_incomplete_line_is_refused_with_its_number(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.jsonl", GOOD + '{"en": "two", "ta'))
    assert "x.jsonl, line 2: not a complete JSON object" in message


def test_a_line_that_is_not_an_object_is_refused(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.jsonl", GOOD * 2 + '"just text"\n'))
    assert "line 3" in message
    assert "not a JSON object" in message


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.jsonl", GOOD + '{"en": "a", "ta": "b", "en": "c"}\n'))
    assert "line 2" in message
    assert "the key 'en' is given twice" in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"en": "a", "ta": "b"},\n', "line 2: not a valid JSON array: not a complete element"),
        ('[{"en": "a", "ta": "b"}\n', "line 2: not a valid JSON array: 'the end of the file'"),
        ('[{"en": "a", "ta": "b"} {', "'{' instead of ','"),
        ('[{"en": "a", "ta": "b"}] x', "text after the array, at 'x'"),
        ('[\n{"en": "a", "en": "b"}]', "line 2: .*the key 'en' is given twice"),
        ('[{"en": "a", "ta": "b"}, {"en": "a"}]', "line 1, element 2: no columns found"),
    ],
)
def test_a_damaged_json_array_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert re.search(problem, fault(written(tmp_path, "x.json", text)))


def test_an_object_over_several_lines_gets_the_conversion(tmp_path: Path) -> None:
    assert "jq -c ." in fault(written(tmp_path, "x.json", '{\n  "en": "one"\n}\n'))


def test_missing_keys_are_refused_with_the_existing_keys(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.jsonl", GOOD + '{"en": "two", "note": "x"}\n'))
    assert "line 2" in message
    assert "'en', 'note'" in message
    assert "data.target_column" in message


def test_missing_keys_inside_translation_are_refused(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.jsonl", '{"translation": {"en": "a", "fr": "b"}}\n'))
    assert "in 'translation'" in message
    assert "'en', 'fr'" in message


def test_a_side_that_is_not_text_is_refused(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.jsonl", '{"en": 5, "ta": "b"}\n'))
    assert "line 1: 'en' holds int 5, not text" in message


def test_a_missing_column_is_refused_with_similar_names(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", "english,tamil\na,b\n")
    message = fault(path, target_column="tamill")
    assert "data.target_column is 'tamill'" in message
    assert "Did you mean 'tamil'" in message


def test_two_columns_for_one_side_are_refused(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.csv", "en,ta-IN,ta-LK\na,b,c\n"))
    assert "'ta-IN' and 'ta-LK'" in message


@pytest.mark.parametrize("header", ["id,text", "a,b,c", "one,two"])
def test_missing_columns_are_refused_with_the_existing_ones(tmp_path: Path, header: str) -> None:
    message = fault(written(tmp_path, "x.csv", f"{header}\n"))
    assert "line 1" in message
    assert repr(header.split(",")[0]) in message
    assert "data.source_column" in message


def test_a_row_with_other_columns_is_refused(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.csv", 'en,ta\n"a\nb",c\nwell, yes,d\n'))
    assert "line 4: 3 columns, but the first row has 2" in message


def test_an_unclosed_quote_is_refused_with_the_row_it_opens_in(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.csv", 'en,ta\na,b\n"c,d\ne,f\n'))
    assert "line 3: not a complete CSV row" in message


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.tsv"])
def test_bytes_that_are_not_utf8_are_refused_with_line_and_offset(
    tmp_path: Path, name: str
) -> None:
    message = fault(written(tmp_path, name, b"\xef\xbb\xbfen\tta\nab\xe9\n"), format="tsv")
    assert "line 2: the bytes from offset 11" in message
    assert "iconv" in message


def test_a_byte_order_mark_counts_as_bytes_of_the_file(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.tsv", b"\xef\xbb\xbfab\xe9\n"))
    assert "line 1: the bytes from offset 5" in message


def test_utf16_gets_its_conversion(tmp_path: Path) -> None:
    assert "iconv -f UTF-16" in fault(written(tmp_path, "x.jsonl", GOOD.encode("utf-16")))


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD.encode() * 1000)
    assert "not a complete gzip archive" in fault(written(tmp_path, "x.jsonl.gz", packed[:40]))


def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    assert "not a complete gzip archive" in fault(written(tmp_path, "x.jsonl.gz", GOOD))


@pytest.mark.parametrize(("source", "target"), [(3, 5), (5, 3)])
def test_text_files_of_different_length_are_refused_with_both_counts(
    tmp_path: Path, source: int, target: int
) -> None:
    path = written(tmp_path, "x.en", "one\n" * source)
    other = written(tmp_path, "x.ta", "ஒன்று\n" * target)
    message = fault(path, target_path=str(other))
    assert f"x.en has {source} lines" in message
    assert f"x.ta has {target}" in message


def test_one_text_file_asks_for_the_other(tmp_path: Path) -> None:
    assert "set data.target_path" in fault(written(tmp_path, "x.txt", "one\n"))


def test_one_validation_file_asks_for_the_other(tmp_path: Path) -> None:
    train = written(tmp_path, "x.jsonl", GOOD)
    validation = written(tmp_path, "x.txt", "one\n")
    assert "set data.validation_target_path" in fault(train, validation_path=str(validation))


def test_a_target_file_for_a_bilingual_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", GOOD)
    assert "unset data.target_path" in fault(path, target_path=str(path))


def test_an_unknown_suffix_asks_for_the_format(tmp_path: Path) -> None:
    assert "data.format" in fault(written(tmp_path, "x.dat", GOOD))


def test_incomplete_xml_is_refused_with_its_line(tmp_path: Path) -> None:
    message = fault(written(tmp_path, "x.tmx", "<tmx>\n<body>\n<tu>"))
    assert "line 3, column 5: not well-formed XML" in message


def test_a_translation_memory_lists_its_languages(tmp_path: Path) -> None:
    unit = '<tu><tuv xml:lang="en"><seg>a</seg></tuv><tuv xml:lang="fr"><seg>b</seg></tuv></tu>'
    message = fault(written(tmp_path, "x.tmx", f"<tmx><body>{unit * 2}</body></tmx>"))
    assert "en (2 units), fr (2 units)" in message
    assert "tam_Taml" in message


def test_xml_entities_are_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE tmx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tmx><body>&b;</body></tmx>'
    assert "refused XML" in fault(written(tmp_path, "x.tmx", text))


def test_a_folder_with_a_file_format_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in fault(tmp_path, format="csv")


def test_a_file_with_the_folder_format_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", GOOD)
    assert "data.format=datasets takes a folder" in fault(path, format="datasets")


def test_a_url_is_refused(tmp_path: Path) -> None:
    assert "copy it first" in fault("s3://bucket/train.jsonl")
