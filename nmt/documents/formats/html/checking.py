"""What must be equal in a document and its translation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nmt.documents.content import Code, Content, plain_text
from nmt.documents.formats.checking import Problem
from nmt.documents.formats.escapes import REPLACED
from nmt.documents.formats.html.reading import Found, Reader, Tag

Translations = Mapping[int, Content]
"""Translations by the `id` of their place; the other places are as in the source."""


def find_problem(source: Reader, translations: Translations, result: Reader) -> Problem | None:
    """Compare a translated document, read again, with its source: its markup and its texts."""
    expected, found = _texts(source, translations), _texts(result, {})
    if expected.keys() != found.keys():
        lost = [place for text, place in expected.items() if text not in found]
        path = lost[0].path if lost else "an unknown place"
        message = f"The translation of {path} is read as another text."
        return Problem(message, frozenset(map(id, lost)))
    pieces = list(_markup(source, translations))
    markup = _joined(piece for _, piece in _markup(result, {}))
    if _joined(piece for _, piece in pieces) != markup:
        place = _first_difference(pieces, markup)
        path = place.path if place else "the first text"
        return Problem(
            f"The translation of {path} changes the tags of the page.", frozenset({id(place)})
        )
    return None


def _texts(reader: Reader, translations: Translations) -> dict[str, Found]:
    """Map the texts of a document, without white space, to a place that has each."""
    texts: dict[str, Found] = {}
    for place in reader.found:
        text = plain_text(translations.get(id(place), place.content))
        texts["".join(text.translate(REPLACED).split())] = place
    # A translation may be empty; read again, its place has no text.
    texts.pop("", None)
    return texts


def _markup(reader: Reader, translations: Translations) -> Iterator[tuple[Found | None, str]]:
    """List the markup of a document, each piece with the text before it."""
    last, written = None, 0
    for place in reader.places:
        yield last, _between(reader, written, place.start)
        last, written = place, place.end
        for piece in translations.get(id(place), place.content):
            if isinstance(piece, Code):
                tag = place.tags.get(piece)
                yield place, piece.raw if tag is None else _without_values(piece.raw, tag)
    yield last, _between(reader, written, len(reader.text))


def _between(reader: Reader, start: int, end: int) -> str:
    """Return the markup between two texts, without the tag that declares the language."""
    page = reader.page
    if page is None or not start <= page.start < end:
        return reader.text[start:end]
    return reader.text[start : page.start] + reader.text[page.stop : end]


def _without_values(raw: str, tag: Tag) -> str:
    pieces: list[str] = []
    written = tag.start
    for value in tag.values:
        pieces.append(raw[written - tag.start : value.start - tag.start])
        written = value.end
    return "".join([*pieces, raw[written - tag.start :]])


def _joined(pieces: Iterable[str]) -> str:
    """Join markup without what may differ: white space, and quotes around values."""
    return "".join("".join(pieces).replace('"', "").split())


def _first_difference(pieces: Sequence[tuple[Found | None, str]], markup: str) -> Found | None:
    """Find the text of the first piece of markup that differs."""
    position = 0
    for place, piece in pieces:
        joined = _joined([piece])
        if not markup.startswith(joined, position):
            return place
        position += len(joined)
    return pieces[-1][0]
