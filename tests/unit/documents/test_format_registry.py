"""Formats are found by name and checked against the content."""

import pytest

from nmt.documents.document import ReadOptions
from nmt.documents.errors import DocumentError, DocumentTooLargeError, UnknownFormatError
from nmt.documents.formats.registry import FORMATS, format_of, read_document, read_string
from nmt.documents.formats.sniffing import check_kind

OPTIONS = ReadOptions("eng_Latn", "tam_Taml")


def test_the_suffix_or_the_user_names_the_format():
    assert format_of("A.TXT", b"text").name == "text"
    assert format_of("noname", b"text", "text").name == "text"
    assert format_of("C:\\x\\a.txt", b"text").name == "text"


@pytest.mark.parametrize("name", ["a.exe", "a", "", ".", "a.", "txt"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(name):
    with pytest.raises(UnknownFormatError, match=r"Suffixes: .*\.txt.*format="):
        format_of(name, b"text")


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(UnknownFormatError, match=r"'rtf' is not a format\. Formats: text"):
        format_of("a.txt", b"text", "rtf")


def test_no_two_formats_share_a_suffix():
    suffixes = [suffix for each in FORMATS.values() for suffix in each.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"PK\x03\x04...", "text", "zip archive"),
        (b"%PDF-1.7", "html", "a PDF"),
        (b"{\\rtf1", "markdown", "RTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "docx", "old Office file"),
        (b"text", "docx", "not an archive"),
        (b"", "docx", "not an archive"),
        (b"<p>Hello</p>", "json", "not json"),
        (b"<!DOCTYPE html>", "json", "looks like html"),
        (b'{"a": 1}', "xliff", "looks like json"),
        (b"1\n00:00", "vtt", "not vtt"),
        (b"\xef\xbb\xbfWEBVTT\n", "srt", "looks like vtt"),
        (b'msgid ""\n', "html", "looks like po"),
        (b"<xliff version='1.2'>", "po", "looks like xliff"),
        ("<a>".encode("utf-16"), "json", "not json"),
        (b"  ", "vtt", "it is empty"),
    ],
)
def test_a_file_of_another_kind_is_refused(data, name, message):
    with pytest.raises(UnknownFormatError, match=message):
        check_kind(data, name)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"# title", "markdown"),
        (b"{{ x }} text", "html"),
        (b"{% if x %}", "html"),
        (b"PK is a text", "text"),
        (b"# comment\nmsgid", "po"),
        ("WEBVTT\n".encode("utf-16"), "vtt"),
        (b"\xef\xbb\xbf[1]", "json"),
        (b"<?xml version='1.0'?><xliff/>", "xliff"),
    ],
)
def test_a_file_that_may_be_of_its_format_is_accepted(data, name):
    check_kind(data, name)


def test_limits_are_named():
    with pytest.raises(DocumentTooLargeError, match="max_bytes"):
        read_document(b"a" * (FORMATS["text"].max_bytes + 1), "text", OPTIONS)
    with pytest.raises(DocumentTooLargeError, match=r"5 characters.*max_document_characters"):
        read_document(b"12345", "text", OPTIONS, max_characters=4)
    with pytest.raises(DocumentTooLargeError, match="max_document_characters"):
        read_string("12345", "text", OPTIONS, max_characters=4)


def test_pointers_are_refused_where_there_are_no_keys():
    options = ReadOptions("eng_Latn", "tam_Taml", keys=("/a",))
    with pytest.raises(DocumentError, match="JSON files, but the format is html"):
        read_document(b"<p>text</p>", "html", options)


def test_a_string_cannot_be_in_a_binary_format():
    for each in FORMATS.values():
        if not each.is_text:
            with pytest.raises(UnknownFormatError, match="cannot be in the format"):
                read_string("text", each.name, OPTIONS)
