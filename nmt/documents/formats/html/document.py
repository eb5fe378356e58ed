"""HTML documents: read, and written with their texts translated."""

import re
from collections.abc import Mapping, Sequence

from nmt.documents.content import Code, Content, Segment
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError, DocumentError
from nmt.documents.formats.checking import MAX_ATTEMPTS, Problem, changed_contents, check_codes
from nmt.documents.formats.collecting import paused_collection
from nmt.documents.formats.decoding import Decoded, decode, find_encoding
from nmt.documents.formats.html.checking import find_problem
from nmt.documents.formats.html.language import Change, language_changes
from nmt.documents.formats.html.reading import Found, Reader, Tag
from nmt.documents.formats.html.writing import Writer

_HEAD = 1024
"""Bytes in which a page must declare its encoding."""
_DECLARED = re.compile(
    rb"""<meta\b[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)
    | ^\s*<\?xml\b[^>]{0,100}?encoding\s*=\s*["']([\w.:-]+)""",
    re.VERBOSE | re.IGNORECASE,
)
_UNQUOTED = re.compile(r"""[^\s"'=<>`]+""")


def read_html(data: bytes, options: ReadOptions) -> "HtmlDocument":
    """Read a page, a fragment or a template.

    Raises:
        DocumentError: its encoding is wrong, or it has characters that HTML does not allow.
    """
    words = frozenset(name.lower() for name in options.untranslated_elements)
    return HtmlDocument(_decode(data, options.encoding), options.target_language, words)


class HtmlDocument:
    """A page, a fragment or a template."""

    def __init__(
        self, decoded: Decoded, target_language: str, words: frozenset[str] = frozenset()
    ) -> None:
        self._decoded = decoded
        self._language = target_language
        self._words = words
        with paused_collection():
            self._source = Reader(decoded.text, words=words).read()
            self._segments = [
                Segment(found.path, found.content, found.is_wrapped) for found in self._source.found
            ]

    @property
    def segments(self) -> Sequence[Segment]:
        """Return the texts of blocks and of attributes."""
        return self._segments

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the page with its texts translated, in order, and check the result."""
        check_codes(self._segments, translated)
        translations = changed_contents(self._source.found, translated)
        text = self._write(translations)
        for attempts_left in reversed(range(MAX_ATTEMPTS)):
            problem = self._find_problem(text, translations)
            if problem is None:
                break
            # One text in a thousand must not cost the whole document: it stays as it was.
            if not attempts_left or problem.places.isdisjoint(translations):
                raise BrokenDocumentError(problem.message)
            translations = {
                place: new for place, new in translations.items() if place not in problem.places
            }
            text = self._write(translations)
        # Text outside translations is in the encoding. HTML can write any other character.
        return self._decoded.mark + text.encode(self._decoded.encoding, "xmlcharrefreplace")

    def _find_problem(self, text: str, translations: Mapping[int, Content]) -> Problem | None:
        if not translations:
            return None
        with paused_collection():
            result = Reader(text, words=self._words).read()
            return find_problem(self._source, translations, result)

    def _write(self, translations: Mapping[int, Content]) -> str:
        text, written = self._decoded.text, 0
        pieces: list[str] = []
        for change in self._changes(translations):
            pieces += text[written : change.start], change.new
            written = change.end
        return "".join([*pieces, text[written:]])

    def _changes(self, translations: Mapping[int, Content]) -> list[Change]:
        """List what is replaced, in the order of the document."""
        changes = [
            Change(place.start, place.end, _written(place, translations))
            for place in (self._source.places if translations else ())
            if id(place) in translations
            or any(id(value) in translations for tag in place.tags.values() for value in tag.values)
        ]
        page = self._source.page
        if page is not None:
            is_xml = self._decoded.text.lstrip().startswith("<?xml")
            tag = self._source.masked[page]
            changes += language_changes(tag, page.start, self._language, is_xml=is_xml)
        return sorted(changes, key=lambda change: change.start)


def _written(place: Found, translations: Mapping[int, Content]) -> str:
    """Write the translation of a text and of the tags in it."""
    content = translations.get(id(place), place.content)
    tags = {code: _written_tag(code, tag, translations) for code, tag in place.tags.items()}
    if content == place.content:
        return "".join(
            tags.get(piece, piece.raw) if isinstance(piece, Code) else piece.raw or piece.text
            for piece in content
        )
    # A value without quotes gets some if it has to.
    written = Writer(place.content, content, quote=place.quote or None).write(tags)
    if place.quote == "" and not _UNQUOTED.fullmatch(written):
        return '"' + written.replace('"', "&quot;") + '"'
    return written


def _written_tag(code: Code, tag: Tag, translations: Mapping[int, Content]) -> str:
    pieces: list[str] = []
    written = 0
    for value in tag.values:
        start, end = value.start - tag.start, value.end - tag.start
        pieces += code.raw[written:start], _written(value, translations)
        written = end
    return "".join([*pieces, code.raw[written:]])


def _decode(data: bytes, encoding: str | None) -> Decoded:
    match = _DECLARED.search(data[:_HEAD])
    declared = (match[1] or match[2]).decode() if match else None
    if encoding is None and declared is not None and find_encoding(declared) == "iso8859-1":
        # Browsers take this name for Windows-1252, which pages that say it mostly are.
        try:
            return decode(data, "cp1252")
        except DocumentError:
            pass
    return decode(data, declared, encoding)
