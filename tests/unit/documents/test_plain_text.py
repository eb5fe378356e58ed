"""Plain text: lines are segments, and everything around them stays."""

import codecs

import pytest

from nmt.documents.content import Text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import DocumentTooLargeError
from nmt.documents.formats import limits
from nmt.documents.formats.plain_text import read_plain_text
from nmt.documents.formats.registry import read_string, write_string

OPTIONS = ReadOptions("eng_Latn", "tam_Taml")
WRAPPED = ReadOptions("eng_Latn", "tam_Taml", is_wrapped=True)


def same(document):
    return [TranslatedSegment(segment.content) for segment in document.segments]


def texts(document):
    return ["".join(piece.text for piece in segment.content) for segment in document.segments]


@pytest.mark.parametrize("is_wrapped", [False, True])
@pytest.mark.parametrize(
    "text",
    ["", "\n", "a", "One line.\r\n\tTwo\r\n", " \x0b a \x0c\x85b\u2028c\u2029 ", "x\r\ry\n\n\nz "],
)
def test_a_text_that_is_not_translated_comes_back(text, is_wrapped):
    document = read_plain_text(text.encode(), WRAPPED if is_wrapped else OPTIONS)
    assert document.write(same(document)) == text.encode()


def test_each_line_is_a_segment_without_the_space_around_it():
    document = read_plain_text(b"First line.\r\n\r\n\t Second.  \nThird", OPTIONS)
    assert texts(document) == ["First line.", "Second.", "Third"]
    assert [segment.path for segment in document.segments] == ["line 1", "line 3", "line 4"]


def test_wrapped_lines_of_a_paragraph_are_one_segment():
    text = "A sentence that\nis wrapped.\n\nNext one,\n- item that\nis wrapped\n  indented\n2. two"
    document = read_plain_text(text.encode(), WRAPPED)
    assert texts(document) == [
        "A sentence that\nis wrapped.",
        "Next one,",
        "- item that\nis wrapped",
        "indented",
        "2. two",
    ]
    assert all(segment.is_wrapped for segment in document.segments)


def test_line_breaks_of_a_translation_do_not_add_lines():
    document = read_plain_text(b"One.\nTwo.\n", OPTIONS)
    new = [TranslatedSegment((Text("a\nb\u2028c"),)), TranslatedSegment((Text("d"),))]
    assert document.write(new) == b"a b c\nd\n"


def test_a_translation_that_the_encoding_lacks_makes_the_file_utf_8():
    options = ReadOptions("eng_Latn", "tam_Taml", encoding="windows-1252")
    document = read_plain_text("Café".encode("cp1252"), options)
    written = document.write([TranslatedSegment((Text("காபி"),))])
    assert written == codecs.BOM_UTF8 + "காபி".encode()


def test_any_string_is_a_plain_text():
    for text in ("\0", "\ufeffa\0b\n", "{", "WEBVTT"):
        document = read_string(text, "text", OPTIONS)
        assert write_string(document, same(document)) == text


def test_too_many_lines_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SEGMENTS", 100)
    with pytest.raises(DocumentTooLargeError, match=r"100 texts.*max_segments"):
        read_plain_text(b"a\n" * 101, OPTIONS)
