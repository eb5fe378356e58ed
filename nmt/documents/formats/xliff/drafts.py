"""Texts of XLIFF, made of what is inside a `source`, a `target` or a segment of it."""

import re
from collections.abc import Iterable, Sequence

from nmt.documents.content import Code, Content, Text
from nmt.documents.formats.html.strings import inline_content
from nmt.documents.formats.icu import IS_MESSAGE, find_message_texts
from nmt.documents.formats.limits import check_code_count
from nmt.documents.formats.pairing import find_pairs
from nmt.documents.formats.xliff.pieces import CdataText, Draft, Mark, Piece, Template
from nmt.documents.formats.xml.edit import escape_text

CODE = "\ufffc"
"""What stands for a code where content is looked at as a string."""
_MARKUP = re.compile(
    r"<(?:/?[A-Za-z][^<>]*|!--[^<>]*)>|&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
_SPECIAL = re.compile("[&<>]")


class Cursor:
    """A position in pieces, which counts a code as a character."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._number = 0
        self._offset = 0

    def take(self, length: int) -> list[Piece]:
        """Return the pieces of the next characters; texts are cut where needed."""
        taken: list[Piece] = []
        while length > 0:
            piece = self._pieces[self._number]
            size = len(piece.text) - self._offset if isinstance(piece, Text) else 1
            if size <= length:
                is_part = isinstance(piece, Text) and self._offset
                taken.append(_part(piece, self._offset, None) if is_part else piece)
                self._number += 1
                self._offset = 0
            else:
                taken.append(_part(piece, self._offset, self._offset + length))
                self._offset += length
            length -= size
        return taken


def make_drafts(pieces: list[Piece], path: str, *, is_cdata: bool) -> Template | None:
    """Make the texts of pieces: one, or those of an ICU message.

    Args:
        pieces: what is inside an element.
        path: of the unit, for people.
        is_cdata: whether they are inside a CDATA section.

    Returns:
        None if it is an ICU message that cannot be divided.
    """
    text = as_string(pieces)
    if not IS_MESSAGE.search(text):
        return [_draft(pieces, path, is_cdata=is_cdata)]
    texts = find_message_texts(text)
    if texts is None:
        return None
    template: Template = []
    cursor, at = Cursor(pieces), 0
    for each in texts:
        template.append(_raw(cursor.take(each.start - at)))
        part = cursor.take(each.end - each.start)
        part = list(_with_number_signs(part)) if each.is_plural else part
        template.append(_draft(part, path, is_cdata=is_cdata, is_message=True))
        at = each.end
    template.append(_raw(cursor.take(len(text) - at)))
    return template


def as_string(pieces: Iterable[Piece]) -> str:
    """Join the texts of pieces, with a sign for each code."""
    return "".join(piece.text if isinstance(piece, Text) else CODE for piece in pieces)


def escaped(text: str) -> list[Piece]:
    """Return text with its special characters as pieces of their own."""
    pieces: list[Piece] = []
    at = 0
    for match in _SPECIAL.finditer(text):
        if at < match.start():
            pieces.append(Text(text[at : match.start()], text[at : match.start()]))
        pieces.append(Text(match[0], escape_text(match[0])))
        at = match.end()
    return [*pieces, Text(text[at:], text[at:])] if at < len(text) else pieces


def _draft(pieces: list[Piece], path: str, *, is_cdata: bool, is_message: bool = False) -> Draft:
    """Make a text, in which tags of HTML that are text become codes."""
    is_markup = bool(_MARKUP.search(as_string(pieces)))
    if is_markup:
        pieces = _with_markup(pieces)
    check_code_count(sum(isinstance(piece, Mark) for piece in pieces), path)
    content, holes = _paired(pieces)
    return Draft(content, is_cdata, is_markup, is_message, holes)


def _with_markup(pieces: list[Piece]) -> list[Piece]:
    """Make codes of tags, and characters of entities, that the text itself has."""
    cursor = Cursor(pieces)
    found: list[Piece] = []
    for piece in inline_content(as_string(pieces)):
        raw = piece.raw if piece.raw is not None else piece.text
        taken = cursor.take(len(raw))
        if isinstance(piece, Code):
            key = None if piece.pair is None else ("markup", piece.pair)
            found.append(Mark(_raw(taken), piece.kind, key, piece.is_exact))
        elif raw == piece.text:
            found += taken
        else:
            found.append(Text(piece.text, _raw(taken)))
    return found


def _with_number_signs(pieces: list[Piece]) -> Iterable[Piece]:
    """Yield pieces of a plural form, in which `#` stands for its number."""
    for piece in pieces:
        if isinstance(piece, Mark) or "#" not in piece.text:
            yield piece
            continue
        for part in re.split("(#)", piece.text):
            if part == "#":
                yield Mark(part, "word")
            elif part:
                yield type(piece)(part, part)


def _paired(pieces: list[Piece]) -> tuple[Content, dict[Code, Template]]:
    """Make codes of marks; those with a partner, inside each other, get a common number."""
    marks = [piece for piece in pieces if isinstance(piece, Mark)]
    texts = [piece for piece in pieces if isinstance(piece, Text)]
    if not marks and not any(isinstance(piece, CdataText) for piece in texts):
        return tuple(texts), {}
    numbers = find_pairs([(mark.kind, mark.key) for mark in marks])
    pairs = dict(zip(marks, numbers, strict=True))
    exact = {number for mark, number in pairs.items() if number and mark.is_exact}
    content: list[Text | Code] = []
    holes: dict[Code, Template] = {}
    for piece in pieces:
        if isinstance(piece, Mark):
            pair = pairs[piece]
            code = Code(piece.raw, piece.kind, pair, piece.is_exact or pair in exact)
            content.append(code)
            if piece.holes:
                holes[code] = piece.holes
        elif isinstance(piece, CdataText):
            content += [each for each in escaped(piece.text) if isinstance(each, Text)]
        else:
            content.append(piece)
    return tuple(content), holes


def _part(piece: Piece, start: int, end: int | None) -> Piece:
    """Cut a text; a single escape has no parts."""
    if isinstance(piece, Mark):
        return piece
    part = piece.text[start:end]
    return type(piece)(part, part)


def _raw(pieces: Iterable[Piece]) -> str:
    """Join what the file has for pieces."""
    pieces = list(pieces)
    if pieces and all(isinstance(piece, CdataText) for piece in pieces):
        return f"<![CDATA[{as_string(pieces)}]]>"
    return "".join(
        escape_text(piece.text) if isinstance(piece, CdataText) else piece.raw or ""
        for piece in pieces
    )
