"""Names of translated files can do no harm."""

import pytest

from nmt.documents.formats.file_names import content_disposition, result_name, safe_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.docx", "report.ta.docx"),
        ("a.b.html", "a.b.ta.html"),
        ("notes", "notes.ta"),
        ("கடிதம்.txt", "கடிதம்.ta.txt"),
        ("../../etc/passwd.txt", "passwd.ta.txt"),
        ("C:\\temp\\x.po", "x.ta.po"),
        ('a"b\r\nSet-Cookie: x=1.md', "a_bSet-Cookie_ x=1.ta.md"),
        ("..", "document.ta"),
        ("", "document.ta"),
        (".json", "json.ta"),
        ("con.txt", "document_con.ta.txt"),
        ("\u202etxt.docx", "txt.ta.docx"),
        ("x" * 500 + ".srt", "x" * 100 + ".ta.srt"),
    ],
)
def test_a_result_has_a_safe_name_with_the_language(name, expected):
    assert result_name(name, "tam_Taml") == expected


def test_the_header_has_an_ascii_name_and_the_full_one():
    assert content_disposition("a.ta.txt") == 'attachment; filename="a.ta.txt"'
    header = content_disposition("அ.txt")
    assert header == "attachment; filename=\"_.txt\"; filename*=UTF-8''%E0%AE%85.txt"


def test_a_name_is_safe_twice():
    for name in ('a"b', "x/../y", "nul", " . ", "a\x7fb\x9f"):
        assert safe_name(safe_name(name)) == safe_name(name)
