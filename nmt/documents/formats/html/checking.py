"""What must be equal in a document and its translation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nmt.documents.content import Code, Content, plain_text
from nmt.documents.errors import BrokenDocumentError
from nmt.documents.formats.escapes import REPLACED
from nmt.documents.formats.html.reading import Reader, Tag

Translations = Mapping[int, Content]
"""Translations by the `id` of their place; the other places are as in the source."""


def check_result(source: Reader, translations: Translations, result: Reader) -> None:
    """Compare a translated document, read again, with its source.

    Raises:
        BrokenDocumentError: its markup or a text is not what was to be written.
    """
    expected, found = _texts(source, translations), _texts(result, {})
    if expected.keys() != found.keys():
        path = next((expected[text] for text in expected if text not in found), "an unknown place")
        raise BrokenDocumentError(f"The translation of {path} is read as another text.")
    pieces = list(_markup(source, translations))
    markup = _joined(piece for _, piece in _markup(result, {}))
    if _joined(piece for _, piece in pieces) != markup:
        path = _first_difference(pieces, markup)
        raise BrokenDocumentError(f"The translation of {path} changes the tags of the page.")


def _texts(reader: Reader, translations: Translations) -> dict[str, str]:
    """Map the texts of a document, without white space, to a place that has each."""
    texts: dict[str, str] = {}
    for place in reader.found:
        text = plain_text(translations.get(id(place), place.content))
        texts["".join(text.translate(REPLACED).split())] = place.path
    # A translation may be empty; read again, its place has no text.
    texts.pop("", None)
    return texts


def _markup(reader: Reader, translations: Translations) -> Iterator[tuple[str, str]]:
    """List the markup of a document, each piece with the path of the text before it."""
    path, written = "the first text", 0
    for place in reader.places:
        yield path, _between(reader, written, place.start)
        path, written = place.path, place.end
        for piece in translations.get(id(place), place.content):
            if isinstance(piece, Code):
                tag = place.tags.get(piece)
                yield path, piece.raw if tag is None else _without_values(piece.raw, tag)
    yield path, _between(reader, written, len(reader.text))


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


def _first_difference(pieces: Sequence[tuple[str, str]], markup: str) -> str:
    """Find the path of the first piece of markup that differs."""
    position = 0
    for path, piece in pieces:
        joined = _joined([piece])
        if not markup.startswith(joined, position):
            return path
        position += len(joined)
    return "the last text"
