"""The strings of PO files: their escapes, and how they are divided into lines."""

import re
from collections.abc import Iterator

from nmt.documents.formats.escaped import EscapedText, check_escape_count

_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_LETTERS = {character: letter for letter, character in _SIMPLE.items()}
_MUST_BE_ESCAPED = re.compile(r'[\x00-\x1f\x7f"\\]')
# Up to and with a line break; a piece of a line ends behind its spaces.
_LINE = re.compile(r"(?:[^\\]|\\[^n])*+(?:\\n)?")
_WORD = re.compile(r"(?:[^\\ ]|\\.)*+ *+")
_WIDTH = 76
"""Columns of a line, as gettext's own programs wrap them, without the quotes."""


def unescape(raw: str) -> EscapedText:
    """Resolve the escapes of a string.

    Args:
        raw: what is between the quotes.
    """
    if "\\" not in raw:
        return EscapedText(raw)
    check_escape_count(raw)
    pieces: list[str] = []
    escapes: dict[int, str] = {}
    at = length = 0
    for match in _ESCAPE.finditer(raw):
        pieces += [raw[at : match.start()], _character(match[0][1:])]
        length += match.start() - at
        escapes[length] = match[0]
        length += 1
        at = match.end()
    pieces.append(raw[at:])
    return EscapedText("".join(pieces), escapes)


def escape(text: str) -> str:
    """Write new text as part of a string."""
    return _MUST_BE_ESCAPED.sub(lambda match: _escaped(match[0]), text)


def string_lines(keyword: str, raw: str, *, is_wrapped: bool) -> Iterator[str]:
    """Yield the lines of a field, without their ends.

    Args:
        keyword: such as `msgstr[0]`.
        raw: the string, with its escapes.
        is_wrapped: whether long lines are divided.
    """
    lines = [line for line in _LINE.findall(raw) if line]
    if len(lines) < 2 and (len(keyword) + len(raw) < _WIDTH or not is_wrapped):
        yield f'{keyword} "{raw}"'
        return
    yield f'{keyword} ""'
    for line in lines:
        for part in _wrapped(line) if is_wrapped else [line]:
            yield f'"{part}"'


def _wrapped(line: str) -> Iterator[str]:
    """Yield a line in parts of whole words."""
    part = ""
    for word in _WORD.findall(line):
        if part and len(part) + len(word.rstrip()) > _WIDTH:
            yield part
            part = ""
        part += word
    if part:
        yield part


def _character(code: str) -> str:
    """Return the character of an escape, of which `code` follows the backslash."""
    if code[0] in "01234567" or len(code) > 1:
        number = int(code[1:], 16) if code[0] == "x" else int(code, 8)
        # Higher numbers are bytes of an encoding, of which one alone is not a character.
        return chr(number) if number < 0x80 else "\N{REPLACEMENT CHARACTER}"
    return _SIMPLE.get(code, code)


def _escaped(character: str) -> str:
    """Return the escape of a character."""
    if character in _LETTERS:
        return f"\\{_LETTERS[character]}"
    return f"\\{character}" if character in '"\\' else f"\\{ord(character):03o}"
