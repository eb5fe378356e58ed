"""The text of an XML file, without the characters that XML forbids."""

import codecs
import io
import re
from html.entities import html5
from typing import BinaryIO

_CHUNK_CHARACTERS = 1 << 14
_MAX_PENDING_CHARACTERS = 4096
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
# Consecutive references are handled together, since two surrogates form one character.
_REFERENCES = re.compile(rf"(?:{_REFERENCE})+")
_UNFINISHED = re.compile(
    rf"(?:{_REFERENCE})*(?:&(?:#(?:x[0-9A-Fa-f]*|[0-9]*)|[A-Za-z][A-Za-z0-9]{{0,31}})?)?\Z"
)
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31};)")
_SPACES = (0x0B, 0x0C)
_LAST_CODE_POINT = 0x10FFFF


class XmlText:
    """A file of UTF-8 bytes for an XML parser, in which forbidden characters are corrected.

    Control characters and noncharacters are removed, also as references; a vertical tab or a form
    feed becomes a space. References to two surrogates become their character, and one to a lone
    surrogate becomes U+FFFD. Entities of HTML (`&nbsp;`), which XML does not know, become their
    characters.
    """

    def __init__(self, stream: BinaryIO) -> None:
        head = stream.read(_CHUNK_CHARACTERS)
        stream.seek(0)
        self.encoding = _encoding(head)
        self.corrected = 0
        """Number of corrected characters so far."""
        self.lines = 0
        """Number of line ends read so far."""
        self._text = io.TextIOWrapper(stream, self.encoding, newline="")
        self._pending = ""

    def read(self, size: int = -1) -> bytes:
        """Read about `size` characters; empty at the end.

        Raises:
            UnicodeDecodeError: bytes are not in the file's encoding.
        """
        while chunk := self._text.read(max(size, _CHUNK_CHARACTERS)):
            self.lines += chunk.count("\n")
            text = self._pending + chunk
            end = _end_of_complete(text)
            text, self._pending = text[:end], text[end:]
            if text:
                return self._correct(text)
        text, self._pending = self._pending, ""
        return self._correct(text)

    def detach(self) -> None:
        """Detach from the stream, which stays open for its owner."""
        self._text.detach()

    def _correct(self, text: str) -> bytes:
        if _FORBIDDEN.search(text):
            text = _FORBIDDEN.sub(self._correct_character, text)
        if "&#" in text:
            text = _REFERENCES.sub(self._correct_references, text)
        if "&" in text:
            text = _NAMED.sub(self._correct_entity, text)
        return text.encode()

    def _correct_entity(self, found: re.Match[str]) -> str:
        characters = html5.get(found[1])
        if characters is None:
            return found[0]  # the parser reports its position
        self.corrected += 1
        return "".join(f"&#{ord(part)};" for part in characters)

    def _correct_character(self, found: re.Match[str]) -> str:
        self.corrected += 1
        return _substitute(ord(found[0]))

    def _correct_references(self, found: re.Match[str]) -> str:
        numbers = [_number(reference) for reference in _ONE_REFERENCE.findall(found[0])]
        forbidden = sum(not _is_allowed(number) for number in numbers)
        if not forbidden:
            return found[0]
        self.corrected += forbidden
        text = "".join(f"&#{n};" if _is_allowed(n) else _substitute(n) for n in numbers)
        # UTF-16 joins two surrogates to their character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _encoding(head: bytes) -> str:
    for beginning, encoding in _BEGINNINGS:
        if head.startswith(beginning):
            return encoding
    declared = _DECLARED.match(head)
    name = declared[1].decode("ascii") if declared else "utf-8"
    # A declaration of UTF-16 that is itself in single bytes is wrong: the file was converted, but
    # its declaration was not changed.
    return "utf-8" if name.casefold().startswith(("utf-16", "ucs-2", "iso-10646")) else name


def _end_of_complete(text: str) -> int:
    """Find the last position at which a text can be cut without splitting a reference."""
    window = max(0, len(text) - _MAX_PENDING_CHARACTERS)
    if "&" not in text[window:]:
        return len(text)
    unfinished = _UNFINISHED.search(text, window)
    return unfinished.start() if unfinished else len(text)


def _number(reference: str) -> int:
    digits = reference[2:-1]
    # Python refuses to convert very long decimal numbers.
    number = int(digits[1:], 16) if digits.startswith("x") else int(digits[:20])
    return min(number, _LAST_CODE_POINT + 1)


def _is_allowed(number: int) -> bool:
    """Tell whether XML 1.0 allows a code point."""
    return (
        number in (0x09, 0x0A, 0x0D)
        or 0x20 <= number <= 0xD7FF
        or 0xE000 <= number <= 0xFFFD
        or 0x10000 <= number <= _LAST_CODE_POINT
    )


def _substitute(number: int) -> str:
    """Return the substitute for a forbidden code point."""
    if 0xD800 <= number <= 0xDFFF:
        return chr(number)  # joined with its neighbour later
    if number > _LAST_CODE_POINT:
        return "\ufffd"
    return " " if number in _SPACES else ""
