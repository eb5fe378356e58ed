"""Text of an XML file without the characters that XML forbids."""

import codecs
import io
import re
from html.entities import html5
from typing import BinaryIO

_CHUNK_CHARACTERS = 1 << 14
_LONGEST_HELD_CHARACTERS = 4096
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
_BEGINNINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_REFERENCE = r"&#(?:x[0-9A-Fa-f]+|[0-9]+);"
_ONE_REFERENCE = re.compile(_REFERENCE)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# References in a row are looked at together: two surrogates are one character.
_REFERENCES = re.compile(rf"(?:{_REFERENCE})+")
_UNFINISHED = re.compile(
    rf"(?:{_REFERENCE})*(?:&(?:#(?:x[0-9A-Fa-f]*|[0-9]*)|[A-Za-z][A-Za-z0-9]{{0,31}})?)?\Z"
)
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31};)")
_SPACES = (0x0B, 0x0C)
_LAST_CODE_POINT = 0x10FFFF


class XmlText:
    """File of UTF-8 bytes for an XML parser that mends what XML forbids, and counts it.

    Control characters and noncharacters are taken out whether they stand in the file or are
    referred to; a vertical tab or a form feed becomes a space. References to two surrogates
    become their character, a lone one becomes U+FFFD. HTML's names (`&nbsp;`), which XML does not
    know, become what they stand for.
    """

    def __init__(self, stream: BinaryIO) -> None:
        head = stream.read(_CHUNK_CHARACTERS)
        stream.seek(0)
        self.encoding = _encoding(head)
        self.mended = 0
        self.lines = 0
        """Line ends that were read."""
        self._text = io.TextIOWrapper(stream, self.encoding, newline="")
        self._held = ""

    def read(self, size: int = -1) -> bytes:
        """Read about so many characters, or nothing at the end.

        Raises:
            UnicodeDecodeError: bytes that are not in the file's encoding.
        """
        while chunk := self._text.read(max(size, _CHUNK_CHARACTERS)):
            self.lines += chunk.count("\n")
            text = self._held + chunk
            cut = _end_of_whole(text)
            text, self._held = text[:cut], text[cut:]
            if text:
                return self._mend_all(text)
        text, self._held = self._held, ""
        return self._mend_all(text)

    def detach(self) -> None:
        """Leave the stream open for whoever opened it."""
        self._text.detach()

    def _mend_all(self, text: str) -> bytes:
        if _FORBIDDEN.search(text):
            text = _FORBIDDEN.sub(self._mend_character, text)
        if "&#" in text:
            text = _REFERENCES.sub(self._mend_references, text)
        if "&" in text:
            text = _NAMED.sub(self._mend_name, text)
        return text.encode()

    def _mend_name(self, found: re.Match[str]) -> str:
        character = html5.get(found[1])
        if character is None:
            return found[0]  # the parser says where it stands
        self.mended += 1
        return "".join(f"&#{ord(part)};" for part in character)

    def _mend_character(self, found: re.Match[str]) -> str:
        self.mended += 1
        return _plain(ord(found[0]))

    def _mend_references(self, found: re.Match[str]) -> str:
        numbers = [_number(reference) for reference in _ONE_REFERENCE.findall(found[0])]
        forbidden = sum(not _is_allowed(number) for number in numbers)
        if not forbidden:
            return found[0]
        self.mended += forbidden
        plain = "".join(f"&#{n};" if _is_allowed(n) else _plain(n) for n in numbers)
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _encoding(head: bytes) -> str:
    for beginning, encoding in _BEGINNINGS:
        if head.startswith(beginning):
            return encoding
    declared = _DECLARED.match(head)
    name = declared[1].decode("ascii") if declared else "utf-8"
    # What says in single bytes that it is UTF-16 was converted without its declaration.
    return "utf-8" if name.casefold().startswith(("utf-16", "ucs-2", "iso-10646")) else name


def _end_of_whole(text: str) -> int:
    """Where a text may be cut without parting a reference, or two that belong together."""
    window = max(0, len(text) - _LONGEST_HELD_CHARACTERS)
    if "&" not in text[window:]:
        return len(text)
    unfinished = _UNFINISHED.search(text, window)
    return unfinished.start() if unfinished else len(text)


def _number(reference: str) -> int:
    digits = reference[2:-1]
    number = int(digits[1:], 16) if digits.startswith("x") else int(digits[:20])
    return min(number, _LAST_CODE_POINT + 1)


def _is_allowed(number: int) -> bool:
    """Whether XML 1.0 allows a code point."""
    return (
        number in (0x09, 0x0A, 0x0D)
        or 0x20 <= number <= 0xD7FF
        or 0xE000 <= number <= 0xFFFD
        or 0x10000 <= number <= _LAST_CODE_POINT
    )


def _plain(number: int) -> str:
    """What stands for a forbidden code point; a surrogate is left to be joined."""
    if 0xD800 <= number <= 0xDFFF:
        return chr(number)
    if number > _LAST_CODE_POINT:
        return "\ufffd"
    return " " if number in _SPACES else ""
