"""A translated Markdown document, and what must be read in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nmt.documents.content import Code, Content, plain_text
from nmt.documents.formats.checking import Problem
from nmt.documents.formats.escapes import REPLACED
from nmt.documents.formats.html.writing import Writer as HtmlWriter
from nmt.documents.formats.markdown.places import Part, Place
from nmt.documents.formats.markdown.reading import Reader
from nmt.documents.formats.markdown.values import written_value
from nmt.documents.formats.markdown.writing import (
    ESCAPED,
    LINE_BREAK,
    MANNERS,
    Writer,
    is_emphasis,
    moved_outside,
    starts_with_tag,
)

Translations = Mapping[int, Content]
"""Translations by the `id` of their place; the other places are as in the source."""

_SURROUNDINGS = {
    "block": ("", ""),
    "heading": ("# ", ""),
    "cell": ("| ", " |\n|-|"),
    "alt": ("![", "](x)"),
}
_MAX_TRIED = 20_000
"""Bytes of a text that is written in several manners; a longer one is escaped at once."""
_INVISIBLE = "\u200b"


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A text as it is written."""

    text: str
    markup: str
    """What of it is not text."""


class Rendering:
    """A document with its translations.

    Args:
        source: the document.
        translations: of its texts.
        is_careful: whether every sign that could be markup is escaped.
    """

    def __init__(
        self, source: Reader, translations: Translations, *, is_careful: bool = False
    ) -> None:
        self._source = source
        self._translations = translations
        self._manners = MANNERS[1:] if is_careful else MANNERS
        self._texts: dict[str, Place] = {}
        self._pieces: list[str] = []
        self._markup: list[tuple[Place | None, str]] = []
        self._render()

    def document(self) -> str:
        """Return the document."""
        return "".join(self._pieces)

    def problem(self, result: Reader) -> Problem | None:
        """Compare the document with what is read in it."""
        other = Rendering(result, {})
        lost = [place for text, place in self._texts.items() if text not in other._texts]
        if self._texts.keys() != other._texts.keys():
            path = lost[0].path if lost else "an unknown place"
            message = f"The translation of {path} is read as another text."
            return Problem(message, frozenset(map(id, lost)))
        markup = _joined(markup for _, markup in other._markup)
        position = 0
        for place, piece in self._markup:
            joined = _joined([piece])
            if not markup.startswith(joined, position):
                path = place.path if place else "the first text"
                message = f"The translation of {path} changes the marks of the document."
                return Problem(message, frozenset({id(place)}))
            position += len(joined)
        if position == len(markup):
            return None
        return Problem("The end of the document has other marks.")

    def _render(self) -> None:
        data = self._source.data
        last, written = None, 0
        for place in self._source.places:
            between = data[written : place.start].decode()
            rendered = self._place(place)
            self._pieces += between, rendered.text
            self._markup += (last, between), (place, rendered.markup)
            last, written = place, place.end
        rest = data[written:].decode()
        self._pieces.append(rest)
        self._markup.append((last, rest))

    def _place(self, place: Place, *, is_in_cell: bool = False) -> _Rendered:
        """Write a text, and those in its codes."""
        content = self._translations.get(id(place), place.content)
        text = _squeezed(plain_text(content))
        if text:
            self._texts[text] = place
        is_in_cell = is_in_cell or place.kind == "cell"
        parts = {
            code: self._part(code, part, is_in_cell=is_in_cell)
            for code, part in place.parts.items()
        }
        labels = {
            code: f"][{part.label}]"
            for code, part in place.parts.items()
            if part.label and code.kind == "close" and _has_other_text(content, code, part.label)
        }
        texts = {code: part.text for code, part in parts.items()} | labels
        markups = {code: part.markup for code, part in parts.items()} | labels
        if content is place.content:
            text = "".join(
                texts.get(piece, piece.raw) if isinstance(piece, Code) else piece.raw or ""
                for piece in content
            )
        else:
            text = self._written(place, content, texts, is_in_cell=is_in_cell)
        markup = "".join(markups.get(p, p.raw) for p in content if isinstance(p, Code))
        return _Rendered(text, markup)

    def _part(self, code: Code, part: Part, *, is_in_cell: bool) -> _Rendered:
        """Write a code with the texts in it."""
        data = self._source.data
        texts: list[str] = []
        markups: list[str] = []
        written = part.start
        for place in part.places:
            between = data[written : place.start].decode()
            rendered = self._place(place, is_in_cell=is_in_cell)
            texts += between, rendered.text
            markups += between, rendered.markup
            written = place.end
        rest = data[written : part.start + len(code.raw.encode())].decode()
        if part.label and code.kind == "word":
            description = next((p for p in part.places if p.kind == "alt"), None)
            content = description and self._translations.get(id(description))
            if content is not None and _folded(plain_text(content)) != _folded(part.label):
                rest = f"][{part.label}]"
        return _Rendered("".join([*texts, rest]), "".join([*markups, rest]))

    def _written(
        self, place: Place, content: Content, codes: Mapping[Code, str], *, is_in_cell: bool
    ) -> str:
        """Write a translation as it has to be written in its place."""
        if place.kind in ("html", "value"):
            quote = place.quote or None
            text = HtmlWriter(place.content, content, quote=quote).write(codes)
            return _html_lines(_with_edges(place, text), place, is_in_cell=is_in_cell)
        if place.kind in ("title", "yaml", "toml"):
            return written_value(place, content)
        if place.end - place.start > _MAX_TRIED:
            writer = Writer(place.content, content, place.kind, place.prefixes, ESCAPED)
            return writer.write(codes)
        first = ""
        is_delicate = starts_with_tag(content) or any(is_emphasis(piece) for piece in content)
        for manner in self._manners:
            if (manner.moves or manner.references) and not is_delicate:
                continue
            arranged = moved_outside(content) if manner.moves else content
            writer = Writer(place.content, arranged, place.kind, place.prefixes, manner)
            text = writer.write(codes)
            first = first or text
            if _is_read_back(place, arranged, codes, text):
                return text
        return first


def _is_read_back(place: Place, content: Content, codes: Mapping[Code, str], written: str) -> bool:
    """Tell whether a text, by itself, is read as what was to be written."""
    expected = _squeezed(plain_text(content))
    if not expected:
        return True
    before, after = _SURROUNDINGS[place.kind]
    notes = [label for label in place.labels if label.startswith("^")]
    links = [label for label in place.labels if not label.startswith("^")]
    definitions = "".join(f"\n\n[{label}]: x" for label in dict.fromkeys([*links, *notes]))
    # The first paragraph keeps the text from being front matter.
    lines = _without_prefixes(written, place.prefixes)
    reader = Reader(f"x\n\n{before}{lines}{after}{definitions}\n").read()
    if len(reader.places) != 2 + len(set(notes)):
        return False
    found = reader.places[1]
    expected_codes = [
        _without_prefixes(codes.get(piece, piece.raw), place.prefixes)
        for piece in content
        if isinstance(piece, Code)
    ]
    return (
        found.kind == place.kind
        and _squeezed(plain_text(found.content)) == expected
        and [piece.raw for piece in found.content if isinstance(piece, Code)] == expected_codes
    )


def _without_prefixes(text: str, prefixes: Sequence[str]) -> str:
    """Leave out what follows each line break: marks of quotations, and indentation."""
    for prefix in sorted(set(prefixes), key=len, reverse=True):
        text = text.replace(prefix, "\n")
    return text


def _with_edges(place: Place, text: str) -> str:
    """Give a text the white space of its source at its edges: the block ends with its line."""
    source = "".join(piece.raw or "" for piece in place.content)
    start = source[: len(source) - len(source.lstrip())]
    end = source[len(source.rstrip()) :]
    return start + text.strip() + end


def _html_lines(text: str, place: Place, *, is_in_cell: bool) -> str:
    """Give a text of HTML the line breaks that it may have in Markdown."""
    if is_in_cell:
        return LINE_BREAK.sub(" ", text).replace("|", "&#124;")
    if not any(prefix.strip() for prefix in place.prefixes):
        # An empty line would end the block.
        return re.sub(r"(\r?\n)(?:[ \t]*\r?\n)+", r"\1", text)
    breaks = iter(place.prefixes)
    return re.sub(r"(?:\r?\n)+", lambda _: next(breaks, place.prefixes[-1]), text)


def _has_other_text(content: Content, end: Code, label: str) -> bool:
    """Tell whether the text of a link is no longer its label."""
    texts: list[str] = []
    for piece in content:
        if isinstance(piece, Code):
            if piece is end:
                return _folded("".join(texts)) != _folded(label)
            if piece.kind == "open" and piece.pair == end.pair:
                texts.clear()
        else:
            texts.append(piece.raw if piece.raw is not None else piece.text)
    return False


def _folded(label: str) -> str:
    """Return a label as it is compared with others."""
    return " ".join(label.casefold().split())


def _squeezed(text: str) -> str:
    return "".join(text.translate(REPLACED).replace(_INVISIBLE, "").split())


def _joined(pieces: Iterable[str]) -> str:
    return "".join("".join(pieces).replace('"', "").split())
