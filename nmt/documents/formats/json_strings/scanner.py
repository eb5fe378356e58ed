"""JSON text, token by token, with the place of every string.

The parsers of the standard library give values without places, recurse, and refuse long numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nmt.documents.errors import DocumentError
from nmt.documents.formats.escaped import EscapedText, check_escape_count
from nmt.documents.formats.limits import check_depth

# Possessive, so that a megabyte of backslashes is passed once.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]*+)(?:
      (?P<string>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")
    | (?P<open>[\[{]) | (?P<close>[\]}]) | (?P<comma>,) | (?P<colon>:)
    | (?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)
    | (?P<end>\Z))""",
    re.VERBOSE,
)
_SPACE = re.compile(r"(?P<space>[ \t\r\n]*)")
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.")
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# What may come next in each state.
_ALLOWED = {
    "value": ("string", "open", "scalar"),
    "first value": ("string", "open", "scalar", "close"),
    "key": ("string",),
    "first key": ("string", "close"),
    "colon": ("colon",),
    "next": ("comma", "close"),
    "done": ("end", "string", "open", "scalar"),
}


@dataclass(slots=True)
class Container:
    """A list or an object around a place."""

    is_object: bool
    key: str = ""
    """In an object, the key before the place, as the file writes it, with its quotes."""
    index: int = 0
    """In a list, the number of values before the place."""


@dataclass(frozen=True, slots=True)
class StringValue:
    """A string that is a value."""

    start: int
    """Of its first character, behind the quote."""
    end: int


class JsonScanner:
    """A scanner of one or more JSON values, each on its own line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._state = "value"
        self.containers: list[Container] = []
        self.line = 0
        """Number of the value of JSON Lines, from 0."""

    def strings(self) -> Iterator[StringValue]:
        """Yield the strings that are values; `containers` then says where each is.

        Raises:
            DocumentError: the text is not JSON.
            DocumentTooLargeError: it is nested too deeply.
        """
        while True:
            match = _TOKEN.match(self._text, self._at)
            kind = match.lastgroup if match else None
            if match is None or kind is None or kind not in _ALLOWED[self._state]:
                raise self._error(match)
            if self._state == "done":
                if kind == "end":
                    return
                self._start_line(match)
            start, self._at = match.start(kind), match.end()
            if kind == "string" and "key" in self._state:
                self.containers[-1].key = match[kind]
                self._state = "colon"
                continue
            if kind == "string":
                yield StringValue(start + 1, self._at - 1)
            self._advance(kind, self._text[start])

    def pointer(self) -> tuple[str, ...]:
        """Return the keys and numbers that lead to the current value."""
        return tuple(
            unescape(each.key[1:-1]).text if each.is_object else str(each.index)
            for each in self.containers
        )

    def _start_line(self, match: re.Match[str]) -> None:
        """Begin the next value of JSON Lines."""
        if "\n" not in match["space"]:
            raise self._error(match)
        self.line += 1

    def _advance(self, kind: str, character: str) -> None:
        """Update the state for what follows a token."""
        if kind == "open":
            self.containers.append(Container(character == "{"))
            check_depth(len(self.containers))
            self._state = "first key" if character == "{" else "first value"
        elif kind == "colon":
            self._state = "value"
        elif kind == "comma":
            self.containers[-1].index += 1
            self._state = "key" if self.containers[-1].is_object else "value"
        else:
            if kind == "close" and (character == "}") != self.containers.pop().is_object:
                self._at -= 1
                raise self._error(None)
            self._state = "next" if self.containers else "done"

    def _error(self, match: re.Match[str] | None) -> DocumentError:
        """Return the error of what is at the current place."""
        space = match or _SPACE.match(self._text, self._at)
        at = space.end("space") if space else self._at
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        found = repr(self._text[at : at + 20]) if at < len(self._text) else "its end"
        return DocumentError(f"The file is not JSON at line {line}, column {column}: {found}.")


def unescape(raw: str) -> EscapedText:
    """Resolve the escapes of a string.

    Args:
        raw: what is between the quotes; valid.
    """
    if "\\" not in raw:
        return EscapedText(raw)
    check_escape_count(raw)
    pieces: list[str] = []
    escapes: dict[int, str] = {}
    at = length = 0
    for match in _ESCAPE.finditer(raw):
        pieces += [raw[at : match.start()], _character(match[0])]
        length += match.start() - at
        escapes[length] = match[0]
        length += 1
        at = match.end()
    pieces.append(raw[at:])
    return EscapedText("".join(pieces), escapes)


def escape(text: str, *, ascii_only: bool = False) -> str:
    """Write new text as part of a JSON string."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    pattern = _NOT_ASCII if ascii_only else _MUST_BE_ESCAPED
    return pattern.sub(lambda match: _escaped(match[0]), text)


# The separators end a line in JavaScript, in which JSON is often embedded.
_MUST_BE_ESCAPED = re.compile("[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_SHORT = {character: f"\\{letter}" for letter, character in _SIMPLE.items()}


def _escaped(character: str) -> str:
    """Return the escape of a character."""
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def _character(escape_sequence: str) -> str:
    """Return the character that an escape stands for."""
    if len(escape_sequence) == 12:
        high, low = int(escape_sequence[2:6], 16), int(escape_sequence[8:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if len(escape_sequence) == 6:
        return chr(int(escape_sequence[2:], 16))
    return _SIMPLE.get(escape_sequence[1], escape_sequence[1])
