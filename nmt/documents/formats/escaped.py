"""Texts of which a file writes some characters as escapes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nmt.documents.content import Code, Content, Text
from nmt.documents.errors import DocumentTooLargeError

_MAX_ESCAPES = 50_000


@dataclass(frozen=True, slots=True)
class EscapedText:
    """A text, and how its file writes it."""

    text: str
    escapes: Mapping[int, str] = field(default_factory=dict)
    """How the characters at some positions are written; others are written as they are."""

    def raw(self, start: int, end: int) -> str:
        """Return how the file writes a part of the text."""
        if not self.escapes:
            return self.text[start:end]
        return "".join(self.escapes.get(at, self.text[at]) for at in range(start, end))

    def content(self, content: Content) -> Content:
        """Return a content of the text with what the file writes for each piece.

        Args:
            content: pieces whose `raw`, joined, is the text.
        """
        if not self.escapes:
            return content
        pieces: list[Text | Code] = []
        at = 0
        for piece in content:
            raw = piece.raw or ""
            end = at + len(raw)
            if isinstance(piece, Code):
                new = self.raw(at, end)
                pieces.append(Code(new, piece.kind, piece.pair, piece.is_exact))
            elif piece.text == raw:
                pieces += self._stretch(at, end)
            else:
                pieces.append(Text(piece.text, self.raw(at, end)))
            at = end
        return tuple(pieces)

    def _stretch(self, start: int, end: int) -> Iterator[Text | Code]:
        """Yield the pieces of a part of the text: what is written as it is, and single escapes."""
        at = start
        for position in (each for each in range(start, end) if each in self.escapes):
            escape = self.escapes[position]
            if at < position:
                yield Text(self.text[at:position], self.text[at:position])
            character = self.text[position]
            # Half a surrogate pair is not a character: no model and no encoding can take it.
            is_half = "\ud800" <= character <= "\udfff"
            yield Code(escape, "point") if is_half else Text(character, escape)
            at = position + 1
        if at < end:
            yield Text(self.text[at:end], self.text[at:end])


def check_escape_count(raw: str) -> None:
    """Refuse a string of too many escapes, each of which is a piece of its own.

    Args:
        raw: as the file writes it.

    Raises:
        DocumentTooLargeError: it has more than a text of people has.
    """
    if raw.count("\\") > _MAX_ESCAPES:
        raise DocumentTooLargeError(
            f"A string that begins with {raw[:40]!r} has more than {_MAX_ESCAPES:,} escapes "
            "(max_escapes)."
        )
