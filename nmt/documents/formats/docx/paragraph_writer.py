"""Translated paragraphs of DOCX."""

from collections.abc import Callable
from itertools import groupby

from nmt.documents.content import Code, Content, Text
from nmt.documents.formats.docx.atoms import Atom
from nmt.documents.formats.docx.paragraph_content import Effect, ParagraphContent
from nmt.documents.formats.docx.run_format import Language, RunFormat
from nmt.documents.formats.xml.edit import escape_text

ReadRaw = Callable[[int, int], str]
"""Returns what is between two places of a part, with the texts inside translated."""


def write_paragraph(
    translated: Content,
    original: ParagraphContent,
    prefix: str,
    language: Language,
    read_raw: ReadRaw,
) -> str:
    """Write the content of a paragraph.

    Args:
        translated: its translation.
        original: what was read.
        prefix: of its tag, with the colon.
        language: of the translation.
        read_raw: gives the elements that are codes.
    """
    writer = _Writer(original.format, prefix, language, read_raw)
    for piece in translated:
        if isinstance(piece, Text):
            writer.text(piece)
        else:
            writer.code(piece, original.effects[piece])
    return writer.finish()


def is_unchanged(source: Content, translated: Content) -> bool:
    """Tell whether a translation is its source, perhaps with the texts divided otherwise."""
    return all(piece.raw is not None for piece in translated) and _joined(source) == _joined(
        translated
    )


def _joined(content: Content) -> list[Code | str]:
    """Join texts that follow each other, as the file has them."""
    joined: list[Code | str] = []
    for is_code, pieces in groupby(content, lambda piece: isinstance(piece, Code)):
        if is_code:
            joined += [piece for piece in pieces if isinstance(piece, Code)]
        else:
            joined.append("".join(piece.raw or "" for piece in pieces))
    return joined


class _Writer:
    """A writer of runs."""

    def __init__(self, base: RunFormat, prefix: str, language: Language, read_raw: ReadRaw) -> None:
        self._prefix = prefix
        self._language = language
        self._read_raw = read_raw
        self._formats = [base]
        self._text: list[str] = []
        self._pieces: list[str] = []

    def text(self, piece: Text) -> None:
        """Write text in the format of its place."""
        self._text.append(escape_text(piece.text) if piece.raw is None else piece.raw)

    def code(self, _: Code, effect: Effect) -> None:
        """Write what a code stands for."""
        self._end_run()
        if effect.action in ("enter", "begin_format"):
            self._formats.append(effect.format)
        elif effect.action in ("leave", "end_format") and len(self._formats) > 1:
            self._formats.pop()
        for atom in effect.atoms:
            self._pieces.append(self._element(atom))

    def finish(self) -> str:
        """Return what was written."""
        self._end_run()
        return "".join(self._pieces)

    def _element(self, atom: Atom) -> str:
        """Write an element; those of runs with a run around them."""
        raw = self._read_raw(atom.start, atom.end)
        if atom.format is None:
            return raw
        properties = atom.format.write(self._prefix, None)
        return f"<{self._prefix}r>{properties}{raw}</{self._prefix}r>"

    def _end_run(self) -> None:
        """Write a run with the text so far."""
        text = "".join(self._text)
        self._text.clear()
        if not text:
            return
        prefix = self._prefix
        properties = self._formats[-1].write(prefix, self._language)
        space = ' xml:space="preserve"' if text != text.strip() or "  " in text else ""
        self._pieces.append(
            f"<{prefix}r>{properties}<{prefix}t{space}>{text}</{prefix}t></{prefix}r>"
        )
