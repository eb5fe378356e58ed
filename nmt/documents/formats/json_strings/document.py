"""JSON and JSON Lines: values that people read are translated, keys never."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.documents.content import Code, Content, Segment
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.formats.checking import check_codes, check_structure
from nmt.documents.formats.decoding import decode
from nmt.documents.formats.json_strings.pointers import Pointers
from nmt.documents.formats.json_strings.prose import is_prose
from nmt.documents.formats.json_strings.scanner import JsonScanner, StringValue, escape, unescape
from nmt.documents.formats.limits import check_segment_count
from nmt.documents.formats.messages import Message, read_message

# What a tool reads in the description of a message, which ARB files have beside it.
_FOR_TOOLS = frozenset({"type", "format", "optionalParameters", "isCustomDateFormat"})
# Never a word as a page shows it: lower case without spaces, or one or two signs.
_CODE = re.compile(r"[a-z0-9_./:#@+-]*|[ -~]{1,2}")


@dataclass(frozen=True, slots=True)
class _Value:
    """A string that is translated."""

    number: int
    """Among all strings that are values."""
    place: StringValue
    message: Message


class JsonDocument:
    """A JSON file."""

    def __init__(self, data: bytes, options: ReadOptions) -> None:
        # JSON declares no encoding: it is UTF-8, unless somebody says otherwise.
        self._decoded = decode(data, encoding=options.encoding)
        text = self._decoded.text
        self._wanted = Pointers("keys", options.keys)
        self._skipped = Pointers("skipped_keys", options.skipped_keys)
        # A file in which all letters are escaped is for a program that needs ASCII.
        self._ascii_only = text.isascii() and "\\u" in text
        self._values: list[_Value] = []
        self.segments: Sequence[Segment] = self._read()

    def _read(self) -> list[Segment]:
        """Find the values to translate."""
        scanner = JsonScanner(self._decoded.text)
        segments: list[Segment] = []
        for number, place in enumerate(scanner.strings()):
            found = self._find(scanner, place)
            if found:
                segments.append(found[0])
                self._values.append(_Value(number, place, found[1]))
                check_segment_count(len(segments))
        self._wanted.check_all_used()
        return segments

    def _find(self, scanner: JsonScanner, place: StringValue) -> tuple[Segment, Message] | None:
        """Return the segment and the message of a string that is for people."""
        raw = self._decoded.text[place.start : place.end]
        # Most strings of a large file are short codes: look no further then.
        if not raw or (not self._wanted and _CODE.fullmatch(raw)):
            return None
        pointer = scanner.pointer()
        if (self._wanted and not self._wanted.has(pointer)) or self._skipped.has(pointer):
            return None
        escaped = unescape(raw)
        message = read_message(escaped.text)
        if message is None or not (self._wanted or _is_for_people(pointer, escaped.text, message)):
            return None
        content = escaped.content(message.content)
        return Segment(_path(scanner, pointer), content, is_wrapped=False), message

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its values translated."""
        check_codes(self.segments, translated)
        text = self._decoded.text
        kept = _between(text, [value.place for value in self._values])
        pieces = [kept[0]]
        for value, segment, following in zip(self._values, translated, kept[1:], strict=True):
            pieces += [self._written(value.message, segment.content), following]
        result = "".join(pieces)
        if result != text:
            self._check(result, kept)
        return self._decoded.encode(result)

    def _written(self, message: Message, content: Content) -> str:
        """Write a translated string, without its quotes."""
        pieces: list[str] = []
        for number, piece in enumerate(content):
            if isinstance(piece, Code) or piece.raw is not None:
                pieces.append(piece.raw or "")
            else:
                following = content[number + 1 : number + 2]
                is_before_code = bool(following) and isinstance(following[0], Code)
                new = message.escape(piece.text, is_before_code=is_before_code)
                pieces.append(escape(new, ascii_only=self._ascii_only))
        return "".join(pieces)

    def _check(self, result: str, kept: Sequence[str]) -> None:
        """Check that everything else than the translated values is as before."""
        # Places differ in the result, but the numbers of the strings do not.
        numbers = {value.number for value in self._values}
        strings = enumerate(JsonScanner(result).strings())
        places = [place for number, place in strings if number in numbers]
        check_structure(kept, _between(result, places), "part")


def read_json(data: bytes, options: ReadOptions) -> JsonDocument:
    """Read a JSON or JSON Lines file.

    Raises:
        DocumentError: it is not valid JSON, or a pointer of the options is not right.
        DocumentTooLargeError: it is above a limit.
    """
    return JsonDocument(data, options)


def _is_for_people(pointer: Sequence[str], value: str, message: Message) -> bool:
    """Tell whether a string is translated if the user did not say which are."""
    is_description = any(key.startswith("@") for key in pointer)
    if is_description and pointer[-1] in _FOR_TOOLS:
        return False
    return is_prose(value, message.content)


def _path(scanner: JsonScanner, pointer: Sequence[str]) -> str:
    """Return where a string is, for people."""
    line = f"line {scanner.line + 1} " if scanner.line else ""
    keys = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in pointer)
    # A string alone is a JSON file too; its pointer is empty.
    return line + keys or "/"


def _between(text: str, places: Sequence[StringValue]) -> list[str]:
    """Return the parts of a text before, between and behind places."""
    starts = [place.start for place in places]
    ends = [place.end for place in places]
    return [text[at:to] for at, to in zip([0, *ends], [*starts, len(text)], strict=True)]
