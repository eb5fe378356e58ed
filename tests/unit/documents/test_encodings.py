"""Encodings of files are read from the file or the user, and never guessed."""

import codecs

import pytest

from nmt.documents.errors import DocumentError
from nmt.documents.formats.decoding import decode, find_encoding


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_the_byte_order_mark_decides_and_comes_back(mark, encoding):
    data = mark + "Ärger 🚀".encode(encoding)
    decoded = decode(data, declared="shift_jis", encoding="cp1252")
    assert decoded.text == "Ärger 🚀"
    assert decoded.encode(decoded.text) == data


def test_a_file_that_says_nothing_is_utf_8():
    assert decode("வணக்கம்".encode()).text == "வணக்கம்"


def test_what_the_user_says_goes_before_what_the_file_says():
    data = "naïve".encode("cp1252")
    assert decode(data, declared="utf-8", encoding="windows-1252").text == "naïve"
    assert decode(data, declared="iso-8859-1").text == "naïve"


def test_a_declaration_of_utf_16_that_could_be_read_as_bytes_is_ignored():
    assert decode(b'charset="utf-16"', declared="utf-16").text == 'charset="utf-16"'


@pytest.mark.parametrize(
    ("data", "declared", "encoding", "message"),
    [
        (b"A \xff B", None, None, "not UTF-8.*0xff at position 2.*encoding="),
        (b"caf\xe9", "utf-8", None, "not valid utf-8, as its declaration says"),
        (b"caf\xe9", None, "ascii", "not valid ascii, as the parameter encoding says"),
        (codecs.BOM_UTF16_LE + b"a", None, None, "as its byte order mark says"),
        ("A text".encode("utf-16-le"), None, None, "NUL.*utf-16-le"),
        (b"text", None, "klingon", "'klingon' is not a known encoding"),
        (b"text", None, "rot13", "not a known encoding"),
        (b"text", None, "unicode_escape", "not a known encoding"),
        (b"text", None, "utf-7", "not a known encoding"),
        (b"text", None, "../../etc", "not a known encoding"),
        (b"text", None, "a\0b", "not a known encoding"),
        (b"text", "x" * 100, None, "not a known encoding"),
    ],
)
def test_a_file_in_another_encoding_is_refused_with_the_reason(data, declared, encoding, message):
    with pytest.raises(DocumentError, match=message):
        decode(data, declared, encoding)


@pytest.mark.parametrize("name", ["UTF8", "latin1", "ISO-8859-15", "Windows-1251", "Shift-JIS"])
def test_encodings_have_several_names(name):
    assert find_encoding(name) == find_encoding(codecs.lookup(name).name)


def test_bytes_that_would_not_come_back_are_refused():
    # Two ways to write the same letter in this encoding.
    data = b'\x1b$B$"\x1b(B\x1b$B$$\x1b(B'
    with pytest.raises(DocumentError, match="not the usual ones"):
        decode(data, encoding="iso-2022-jp")


def test_a_translation_that_the_encoding_lacks_is_refused_or_marked():
    decoded = decode("café".encode("cp1252"), encoding="cp1252")
    with pytest.raises(DocumentError, match="cp1252, does not have 'அ'"):
        decoded.encode("அம்மா")
    assert decoded.encode_or_mark("அம்மா") == codecs.BOM_UTF8 + "அம்மா".encode()
    assert decoded.encode_or_mark("thé") == b"th\xe9"
