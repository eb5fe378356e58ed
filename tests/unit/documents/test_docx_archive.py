"""The archive of a DOCX file: hostile ones are refused, and other members stay as packed."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from nmt.documents.errors import DocumentError, DocumentTooLargeError, UnknownFormatError
from nmt.documents.formats.docx import archive as archives
from nmt.documents.formats.docx.archive import Archive
from nmt.documents.formats.docx.reader import read_docx
from tests.support.document_translators import TO_TAMIL
from tests.support.docx import make_docx

TYPES = ("[Content_Types].xml", "<Types/>")
BODY = ("word/document.xml", "<document/>")


def packed(*members: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def with_last_entry(data: bytes, offset: int, value: bytes) -> bytes:
    """Change the last entry of the list of members."""
    at = data.rindex(b"PK\x01\x02") + offset
    return data[:at] + value + data[at + len(value) :]


def linked() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("word/document.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    return file.getvalue()


def test_replaced_members_are_packed_anew_and_others_are_copied():
    data = packed(TYPES, ("a/é.xml", "old " * 99), ("b.png", bytes(range(256))))
    archive = Archive(data)
    result = archive.write({"a/é.xml": b"new"})
    with zipfile.ZipFile(io.BytesIO(result)) as written:
        assert written.testzip() is None
        assert written.namelist() == ["[Content_Types].xml", "a/é.xml", "b.png"]
        assert written.read("a/é.xml") == b"new"
        assert written.getinfo("b.png").date_time == archive_time(data, "b.png")
    assert Archive(result).read("b.png") == bytes(range(256))


def archive_time(data: bytes, name: str) -> tuple[int, ...]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.getinfo(name).date_time


class Pipe(io.BytesIO):
    """A file that cannot go back, so that sizes are written behind the members."""

    def tell(self) -> int:
        raise OSError


def test_members_that_were_written_as_a_stream_are_copied():
    file = Pipe()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", "one" * 50)
        archive.writestr("b", "two")
    result = Archive(file.getvalue()).write({"b": b"2"})
    with zipfile.ZipFile(io.BytesIO(result)) as written:
        assert written.testzip() is None
        assert [written.read(name) for name in "ab"] == [b"one" * 50, b"2"]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: packed(("../../x", "a")), DocumentError, "outside of it: '../../x'"),
        (lambda: packed(("/x", "a")), DocumentError, "outside of it"),
        (lambda: packed(("c:/x", "a")), DocumentError, "outside of it"),
        (lambda: packed(("a.xml", "a"), ("A.xml", "b")), DocumentError, "of the same name"),
        (linked, DocumentError, "is a link"),
        (lambda: packed(TYPES)[:-30], DocumentError, "damaged"),
        (lambda: b"PK\x03\x04" + b"x" * 99, DocumentError, "damaged"),
        (
            lambda: packed(*((f"{n}.xml", "") for n in range(2001))),
            DocumentTooLargeError,
            "more than 2,000 members",
        ),
        (
            lambda: with_last_entry(packed(("a", "b"), ("b", "c")), 42, struct.pack("<I", 0)),
            DocumentError,
            "overlap",
        ),
        (
            lambda: with_last_entry(packed(TYPES), 8, struct.pack("<H", 1)),
            UnknownFormatError,
            "protected by a password",
        ),
    ],
)
def test_an_archive_that_is_not_right_is_refused(
    make: Callable[[], bytes], error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        Archive(make())


def test_members_that_unpack_to_far_more_are_refused(monkeypatch: pytest.MonkeyPatch):
    data = packed(TYPES, ("word/document.xml", " " * 3_000_000))
    # The size that the archive states does not matter.
    lying = with_last_entry(data, 24, struct.pack("<I", 9))
    for each in (data, lying):
        with pytest.raises(DocumentTooLargeError, match="more than 100 times its packed size"):
            Archive(each).read("word/document.xml")
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 10)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = Archive(packed(("a", "123456"), ("b", "123456"), method=method))
        archive.read("a")
        with pytest.raises(DocumentTooLargeError, match="unpack to more than"):
            archive.read("b")


def test_damaged_members_are_refused():
    data = packed(TYPES, ("a", "some text " * 9))
    for broken in (
        with_last_entry(data, 16, b"abcd"),
        with_last_entry(data, 20, struct.pack("<I", 5)),
        with_last_entry(data, 10, struct.pack("<H", 99)),
    ):
        with pytest.raises(DocumentError, match="in the archive is"):
            Archive(broken).read("a")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"old Word file \(.doc\) or protected"),
        (b"This is a text.", "not a zip archive"),
        (b"", "not a zip archive"),
        (packed(("a.txt", "hello")), r"\[Content_Types\].xml is missing"),
        (
            packed(
                (
                    "[Content_Types].xml",
                    '<Types><Override PartName="/a" ContentType="x.spreadsheetml.x"/></Types>',
                )
            ),
            "it is an Excel file",
        ),
    ],
)
def test_a_file_that_is_not_docx_is_refused(data: bytes, message: str):
    with pytest.raises(UnknownFormatError, match=message):
        read_docx(data, TO_TAMIL)


@pytest.mark.parametrize(
    ("xml", "error", "message"),
    [
        ("<a", DocumentError, "not valid XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', DocumentError, "declares an entity"),
        ("<a>" * 300 + "</a>" * 300, DocumentTooLargeError, "more than 200 levels"),
    ],
)
def test_a_part_that_is_not_right_is_refused(xml: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        read_docx(packed(TYPES, ("word/document.xml", xml)), TO_TAMIL)


def test_the_main_document_may_have_another_name():
    data = make_docx("<w:p><w:r><w:t>Text</w:t></w:r></w:p>")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    renamed = packed(
        *(
            (name.replace("document", "document2"), content.replace(b"/document.", b"/document2."))
            for name, content in members
        )
    )
    assert len(read_docx(renamed, TO_TAMIL).segments) == 1
