"""Text of files: decoded by what they say of themselves, never by a guess."""

import codecs
from dataclasses import dataclass

from nmt.documents.errors import DocumentError

# Longer marks first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python has codecs that are not encodings of files (rot13, idna, unicode_escape) and some that are
# never right (utf-7), so the list names those that are allowed.
_NAMES = """
    ascii utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
    cp437 cp850 cp852 cp866 cp874 cp932 cp949 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256
    cp1257 cp1258 koi8-r koi8-u mac-roman mac-cyrillic tis-620 shift_jis euc_jp iso2022_jp euc_kr
    gb2312 gbk gb18030 big5 big5hkscs iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6
    iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16
"""
# Python's canonical names of a few encodings differ between its versions in `-` and `_`.
_CANONICAL = {name.replace("_", "-"): name for name in _NAMES.split()}


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, and how it was written in bytes."""

    text: str
    encoding: str
    """Python's name of it."""
    mark: bytes = b""
    """Byte order mark at the start, which `text` does not have."""

    def encode(self, text: str) -> bytes:
        """Encode a text as the file was encoded.

        Raises:
            DocumentError: the encoding lacks a character.
        """
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise DocumentError(
                f"The encoding of the file, {self.encoding}, does not have "
                f"{text[error.start : error.start + 1]!r}. Save the file as UTF-8."
            ) from None

    def encode_or_mark(self, text: str) -> bytes:
        """Encode a text as the file was encoded, or as UTF-8 with a mark if that is impossible."""
        # For formats that cannot declare an encoding: the mark says it to every program, and a
        # translation into another script is not lost.
        try:
            return self.encode(text)
        except DocumentError:
            return codecs.BOM_UTF8 + text.encode()


def decode(
    data: bytes,
    declared: str | None = None,
    encoding: str | None = None,
    *,
    allow_nul: bool = False,
) -> Decoded:
    """Decode a file.

    The encoding is that of its byte order mark, else `encoding`, else `declared`, else UTF-8.

    Args:
        data: the file.
        declared: what the file says, in a header of its format.
        encoding: what the user says.
        allow_nul: whether the text may have a NUL character.

    Raises:
        DocumentError: the encoding is not known, or the bytes are not valid in it.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Decoded(_decode(data[len(mark) :], name, "its byte order mark"), name, mark)
    name, said_by = "utf-8", ""
    if encoding:
        name, said_by = find_encoding(encoding), "the parameter encoding"
    elif declared and not find_encoding(declared).startswith(("utf-16", "utf-32")):
        # A declaration that could be read byte by byte is not in UTF-16, whatever it says.
        name, said_by = find_encoding(declared), "its declaration"
    text = _decode(data, name, said_by)
    if not allow_nul and (at := text.find("\0")) >= 0:
        raise DocumentError(
            f"The file has a NUL character (character {at + 1}): it is not a text, or it is UTF-16 "
            "without a byte order mark; then give its encoding, such as encoding=utf-16-le."
        )
    return Decoded(text, name)


def decode_head(data: bytes, size: int) -> str:
    """Decode the start of a file as far as signatures in ASCII can be found in it."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) : size].decode(name, "replace")
    return data[:size].decode("iso8859-1")


def find_encoding(name: str) -> str:
    """Return Python's name of an encoding.

    Raises:
        DocumentError: it is not known.
    """
    try:
        # Codecs are looked up among modules: a strange name must not get that far.
        known = codecs.lookup(name.strip()).name if name.isascii() and len(name) < 40 else ""
    except (LookupError, ValueError):
        known = ""
    canonical = _CANONICAL.get(known.replace("_", "-"))
    if canonical is None:
        raise DocumentError(
            f"{name[:40]!r} is not a known encoding. Examples: utf-8, utf-16-le, windows-1252, "
            "iso-8859-1, shift_jis."
        )
    return canonical


def _decode(data: bytes, name: str, said_by: str) -> str:
    """Decode bytes strictly, and only if encoding the text gives them again."""
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        place = f"byte {data[error.start]:#04x} at position {error.start}"
        if said_by:
            raise DocumentError(
                f"The file is not valid {name}, as {said_by} says ({place})."
            ) from None
        raise DocumentError(
            f"The file is not UTF-8 ({place}). Give its encoding, such as encoding=windows-1252."
        ) from None
    # Some old encodings can write a text in several ways; what is not translated would change.
    if not name.startswith("utf") and text.encode(name, "replace") != data:
        raise DocumentError(
            f"The bytes of the file are not the usual ones in {name}. Save the file as UTF-8."
        )
    return text
