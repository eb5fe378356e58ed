"""Translators of documents without a model, for tests of the formats."""

import re
from collections.abc import Callable, Sequence

from nmt.documents.content import Code, Content, Segment, Text
from nmt.documents.document import Document, ReadOptions, TranslatedSegment

TO_TAMIL = ReadOptions(source_language="eng_Latn", target_language="tam_Taml")

Change = Callable[[Content], Content]
"""Makes the translation of a segment from its content."""

_KEPT = re.compile(
    r"""https?://[^\s<>"']*[^\s<>"'.,;:!?)] | www\.[\w.-]+\w
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+
    | \{\{.*?\}\} | \{%.*?%\} | \$\{[^{}]*\} | \{[\w.:!-]*\}
    | %\(\w+\)[a-z] | %(?:\d+\$)?[sd] | %% | \$[A-Z_]+\$ | @@[A-Z_]+@@
    | [\u00a0\u202f\u00ad\u200b\u200e\u200f\u2060] | \s+
    """,
    re.VERBOSE | re.DOTALL,
)


def identity(content: Content) -> Content:
    """Give back the source."""
    return content


def upper(content: Content) -> Content:
    """Write every text in capitals."""
    return tuple(piece for old in content for piece in _changed(old, str.upper))


def brackets(content: Content) -> Content:
    """Put every piece of text in brackets."""
    return tuple(piece for old in content for piece in _changed(old, "⟦{}⟧".format))


def around(content: Content) -> Content:
    """Put one pair of brackets around the text between breaks."""
    pieces = [piece for old in content for piece in _changed(old, lambda text: text)]
    first: Text | None = None
    last: Text | None = None
    for piece in [*pieces, Code("", "break")]:
        if isinstance(piece, Text):
            if any(character.isalpha() for character in piece.text) and piece.raw is None:
                first, last = first or piece, piece
        elif piece.kind == "break" and first is not None and last is not None:
            first.text = "⟦" + first.text
            last.text += "⟧"
            first = last = None
    return tuple(pieces)


def replaced_by(text: str) -> Change:
    """Return what replaces the first text with a letter by another one, and empties the others."""

    def change(content: Content) -> Content:
        pieces: list[Text | Code] = []
        waiting: str | None = text
        for piece in content:
            if isinstance(piece, Code):
                pieces.append(piece)
            elif waiting is not None and any(c.isalpha() for c in piece.text):
                pieces.append(Text(waiting))
                waiting = None
        return tuple(pieces) if waiting is None else content

    return change


def translate(document: Document, change: Change) -> bytes:
    """Write a document with each segment changed."""
    return document.write([TranslatedSegment(change(s.content)) for s in document.segments])


def texts(segments: Sequence[Segment]) -> list[str]:
    """Write segments as one reads them, with every code as it is in the file."""
    return [
        "".join(p.text if isinstance(p, Text) else f"[{p.raw}]" for p in segment.content)
        for segment in segments
    ]


def _changed(piece: Text | Code, change: Callable[[str], str]) -> list[Text | Code]:
    if isinstance(piece, Code):
        return [piece]
    if not any(character.isalpha() for character in piece.text):
        return [piece]
    if piece.raw != piece.text:
        return [Text(change(piece.text))]
    pieces: list[Text | Code] = []
    position = 0
    for match in [*_KEPT.finditer(piece.text), None]:
        part = piece.text[position : match.start() if match else None]
        if part:
            has_letter = any(character.isalpha() for character in part)
            pieces.append(Text(change(part)) if has_letter else Text(part, part))
        if match:
            pieces.append(Text(match.group(), match.group()))
            position = match.end()
    return pieces
