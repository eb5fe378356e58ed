"""Writing translated texts as Markdown."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from nmt.documents.content import Code, CodeKind, Content, Text
from nmt.documents.formats.escapes import OwnEscapes
from nmt.documents.formats.markdown.places import Kind

LINE_BREAK = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t]*(?:(?:\r\n|\r|\n)[ \t]*)*")
_SIGNS = re.compile(r"[\\`*_\[\]<>~$|!#&{:\0\ufdd0\ufdd1]")
_ALWAYS_SIGNS = re.compile(r"[|{\0]")
_LINE_START = re.compile(r"(?:[+\-=?]|[0-9]{1,9}(?=[.)]))")
_AFTER_TEMPLATE = ("{", "%", "#")
_ENTITY = "&#{};"
_NOTHING = "&#8203;"
"""A space without width, for emphasis of nothing and before a tag."""
_EMPHASIS = frozenset({"*", "_", "**", "__", "~", "~~"})
_MAX_EMPHASIS = 3
"""Marks of emphasis inside each other, that punctuation is put outside of."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How carefully a text is written: signs are left as they are where that does no harm."""

    escapes: bool = False
    """Whether every sign that could be markup is escaped."""
    moves: bool = False
    """Whether punctuation at the edges of emphasis is put outside."""
    references: bool = False
    """Whether letters around emphasis, and nothing before a tag, are written as numbers."""


ESCAPED = Manner(escapes=True)
MANNERS = (
    Manner(),
    ESCAPED,
    Manner(moves=True),
    Manner(escapes=True, moves=True),
    Manner(escapes=True, references=True),
    Manner(escapes=True, moves=True, references=True),
)
"""All, the most readable first."""


class Writer:
    """What writes a translation of one text.

    Args:
        source: the text.
        translated: its translation.
        kind: what surrounds it.
        breaks: the line breaks of the source with what follows each, in order.
        manner: how carefully it is written.
    """

    def __init__(
        self,
        source: Content,
        translated: Content,
        kind: Kind,
        breaks: tuple[str, ...],
        manner: Manner,
    ) -> None:
        self._own = OwnEscapes(source, translated)
        self._translated = translated
        self._kind = kind
        self._breaks = iter(breaks)
        self._manner = manner
        self._written: list[str] = []
        own = self._own.characters
        signs = _SIGNS if manner.escapes else _ALWAYS_SIGNS
        self._signs = re.compile(f"{signs.pattern[:-1]}{re.escape(own)}]") if own else signs

    def write(self, codes: Mapping[Code, str]) -> str:
        """Write the translation.

        Args:
            codes: the codes that are to be written in another way than in the source.
        """
        pieces = self._translated
        if self._manner.references and starts_with_tag(pieces):
            self._written.append(_NOTHING)
        for number, piece in enumerate(pieces):
            if isinstance(piece, Code):
                before = pieces[number - 1] if number else None
                self._write_code(piece, codes.get(piece, piece.raw), before)
            elif piece.raw is not None:
                self._own.skip(piece.text)
                self._skip_breaks(piece.raw)
                self._written.append(piece.raw)
            else:
                before = pieces[number - 1] if number else None
                after = pieces[number + 1] if number + 1 < len(pieces) else None
                self._write_text(piece.text, before, after)
        return "".join(self._written)

    def _write_code(self, code: Code, raw: str, before: Text | Code | None) -> None:
        last = self._written[-1] if self._written else ""
        if last and raw and not is_emphasis(code) and _spoils(last[-1], raw[0]):
            self._written.append(" ")
        if self._manner.references and isinstance(before, Code):
            is_empty = _is(code, "close") and last in _EMPHASIS
            # What is beside emphasis decides whether it is some.
            if is_empty or is_emphasis(code) is not is_emphasis(before):
                self._written.append(_NOTHING)
        self._skip_breaks(raw)
        self._written.append(raw)

    def _skip_breaks(self, raw: str) -> None:
        for _ in LINE_BREAK.finditer(raw):
            next(self._breaks, None)

    def _write_text(self, text: str, before: Text | Code | None, after: Text | Code | None) -> None:
        """Write new text between two pieces."""
        if before is None:
            text = text.lstrip(" \t\r\n")
        if after is None:
            text = text.rstrip(" \t\r\n")
        first = last = ""
        if self._manner.references and text:
            if is_emphasis(before) and _is(before, "close") and _is_letter(text[0]):
                first, text = _ENTITY.format(ord(text[0])), text[1:]
            if is_emphasis(after) and _is(after, "open") and text and _is_letter(text[-1]):
                text, last = text[:-1], _ENTITY.format(ord(text[-1]))
        after_sign = isinstance(before, Code) and before.raw.endswith(("$", ":"))
        if text and after_sign and _is_ascii_word(text[0]):
            self._written.append(" ")
        starts_line = (before is None and not first) or (
            isinstance(before, Code) and before.kind == "break"
        )
        self._written.append(first + self._lines(text, starts_line=starts_line) + last)

    def _lines(self, text: str, *, starts_line: bool) -> str:
        """Write new text, with the line breaks of the source."""
        lines: list[str] = []
        position = 0
        for match in LINE_BREAK.finditer(text):
            line_break = next(self._breaks, " ")
            lines += self._line(text[position : match.start()], starts_line), line_break
            position, starts_line = match.end(), line_break != " "
        return "".join([*lines, self._line(text[position:], starts_line)])

    def _line(self, text: str, starts_line: bool) -> str:
        written = self._signs.sub(self._sign, text)
        if not starts_line or not self._manner.escapes or self._kind != "block":
            return written
        match = _LINE_START.match(written)
        if match is None:
            return written
        # `1.` is escaped before the full stop, other marks before themselves.
        at = match.end() if written[0].isdigit() else 0
        return written[:at] + "\\" + written[at:]

    def _sign(self, match: re.Match[str]) -> str:
        sign, following = match.group(), match.string[match.end() : match.end() + 1]
        own = self._own.take(sign)
        if own is not None:
            return own
        if sign in "\0\ufdd0\ufdd1":
            return "\ufffd"
        if sign == "|":
            return "\\|" if self._manner.escapes or self._kind == "cell" else sign
        # A model must not invent instructions for a template language.
        if sign == "{":
            is_template = not following or following in _AFTER_TEMPLATE
            return "&#123;" if self._manner.escapes or is_template else sign
        if not self._manner.escapes:
            return sign
        return "&amp;" if sign == "&" else "\\" + sign


def is_emphasis(piece: Text | Code | None) -> bool:
    """Tell whether a piece opens or closes emphasis."""
    return isinstance(piece, Code) and piece.kind in ("open", "close") and piece.raw in _EMPHASIS


def starts_with_tag(content: Content) -> bool:
    """Tell whether a text starts with HTML, which could make a block of HTML of it."""
    return bool(content) and isinstance(content[0], Code) and content[0].raw.startswith("<")


def moved_outside(content: Content) -> Content:
    """Put white space and punctuation at the edges of emphasis outside.

    Beside a letter of a script without spaces, emphasis that ends in punctuation does not end.
    """
    pieces = list(content)
    for _ in range(_MAX_EMPHASIS):
        moved: list[Text | Code] = []
        waiting = pieces[::-1]
        while waiting:
            piece = waiting.pop()
            following = waiting[-1] if waiting else None
            if is_emphasis(piece) and _is(piece, "open") and isinstance(following, Text):
                first, rest = _edge(following, at_start=True)
                if first and rest:
                    waiting[-1] = rest
                    moved.append(first)
            elif is_emphasis(following) and _is(following, "close") and isinstance(piece, Text):
                last, rest = _edge(piece, at_start=False)
                if last and (rest or (moved and not _is(moved[-1], "open"))):
                    moved += [rest] if rest else []
                    moved.append(waiting.pop())
                    piece = last
            moved.append(piece)
        pieces = moved
    return tuple(pieces)


def _is(piece: Text | Code | None, kind: CodeKind) -> bool:
    return isinstance(piece, Code) and piece.kind == kind


def _edge(text: Text, *, at_start: bool) -> tuple[Text | None, Text | None]:
    """Divide a text into the punctuation at one of its edges, and the rest."""
    if text.raw is not None and text.raw != text.text:
        return None, text
    characters = text.text if at_start else text.text[::-1]
    size = next((n for n, c in enumerate(characters) if _is_letter(c)), len(characters))
    if size == len(characters):
        # There is nothing but punctuation, of which only the white space has to move.
        size -= len(characters.lstrip())
    at = size if at_start else len(characters) - size
    parts = [
        Text(part, part if text.raw is not None else None) if part else None
        for part in (text.text[:at], text.text[at:])
    ]
    return (parts[0], parts[1]) if at_start else (parts[1], parts[0])


def _spoils(last: str, first: str) -> bool:
    """Tell whether a formula, an emoji or code is no longer one behind a character."""
    if last == first:
        return last in "`$:"
    return first in "$:" and _is_ascii_word(last)


def _is_ascii_word(character: str) -> bool:
    return character == "_" or (character.isascii() and character.isalnum())


def _is_letter(character: str) -> bool:
    """Tell whether a character is part of a word."""
    return unicodedata.category(character)[0] in "LMN"
