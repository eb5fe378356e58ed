"""Records of a JSON file that holds one array, which is read in parts."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NoReturn, TextIO, cast

from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.rows import BadRow
from nmt.data.formats.tables.json_lines import refuse_repeated_keys
from nmt.data.formats.tables.records import Record
from nmt.errors import DataError

_PART_CHARACTERS = 1 << 18
_MAX_ELEMENT_CHARACTERS = 16 << 20
"""Maximum length of an element; a longer one has a bracket or quote that was never closed."""
_SPACE = re.compile(r"[ \t\n\r]*")


class _Element(NamedTuple):
    """An element of the array."""

    value: object
    line: int
    """Line in which it begins."""


class _ArrayText:
    """The text of an array, of which a part is in memory."""

    def __init__(self, stream: TextIO, file: InputFile) -> None:
        self._stream = stream
        self._file = file
        self._decoder = json.JSONDecoder(object_pairs_hook=refuse_repeated_keys)
        self._text = ""
        self._position = 0
        self._line = 1
        self._at_end = False

    def elements(self) -> Iterator[_Element]:
        """Decode the elements one by one.

        Raises:
            DataError: the text is not valid JSON.
        """
        self._require("[")
        if self._next_character() == "]":
            self._require("]")
        else:
            while True:
                yield self._element()
                if self._next_character() == "]":
                    self._require("]")
                    break
                self._require(",")
        if self._next_character():
            self._refuse("text after the array")

    def _element(self) -> _Element:
        self._next_character()
        line = self._line
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._position)
            except (ValueError, RecursionError) as error:
                # The element may continue in the next part. A larger part each time keeps the
                # number of attempts small.
                if self._at_end or len(self._text) - self._position > _MAX_ELEMENT_CHARACTERS:
                    self._refuse(f"not a complete element ({error})", line)
                self._read(max(_PART_CHARACTERS, len(self._text) - self._position))
                continue
            self._move(end)
            return _Element(value, line)

    def _next_character(self) -> str:
        """Skip white space, and return the next character; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._position)
            self._move(found.end() if found else self._position)
            if self._position < len(self._text) or self._at_end:
                return self._text[self._position : self._position + 1]
            self._read(_PART_CHARACTERS)

    def _require(self, character: str) -> None:
        found = self._next_character()
        if found != character:
            self._refuse(f"{found or 'the end of the file'!r} instead of {character!r}")
        self._move(self._position + 1)

    def _move(self, position: int) -> None:
        self._line += self._text.count("\n", self._position, position)
        self._position = position

    def _read(self, characters: int) -> None:
        """Read more of the file, and forget what was decoded."""
        part = self._stream.read(characters)
        # Cutting off what was decoded keeps one part in memory, however large the file is.
        self._at_end = not part
        self._text, self._position = self._text[self._position :] + part, 0

    def _refuse(self, problem: str, line: int | None = None) -> NoReturn:
        shown = self._text[self._position : self._position + 60]
        raise DataError(
            f"{self._file}, line {line or self._line}: not a valid JSON array: {problem}, at "
            f"{shown!r}. Correct the file; jq . {self._file.name} shows the first error"
        )


def json_array(file: InputFile) -> Iterator[Record | BadRow]:
    """Read the objects of an array.

    Raises:
        DataError: the file is not valid JSON.
    """
    with open_bytes(file) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig")
        try:
            yield from _records(_ArrayText(text, file), file)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{file}: bytes that are not UTF-8 ({error.reason}). Convert it: "
                f"iconv -f ITS_ENCODING -t UTF-8 {file.name} > utf8-{file.name}"
            ) from None
        text.detach()  # the stream is closed by its owner


def _records(array: _ArrayText, file: InputFile) -> Iterator[Record | BadRow]:
    for number, element in enumerate(array.elements(), start=1):
        place = f"{file}, line {element.line}, element {number}"
        if isinstance(element.value, Mapping):
            yield Record(element.line, place, cast(Mapping[str, Any], element.value))
        else:
            yield BadRow(place, f"{element.value!r:.60} is not a JSON object")
