"""Markdown documents: read, and written with their texts translated."""

from collections.abc import Sequence

from nmt.documents.content import Segment
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError
from nmt.documents.formats.checking import MAX_ATTEMPTS, changed_contents, check_codes
from nmt.documents.formats.collecting import paused_collection
from nmt.documents.formats.decoding import Decoded, decode
from nmt.documents.formats.markdown.reading import Reader
from nmt.documents.formats.markdown.rendering import Rendering


def read_markdown(data: bytes, options: ReadOptions) -> "MarkdownDocument":
    """Read a Markdown file.

    Raises:
        DocumentError: its encoding is wrong.
    """
    return MarkdownDocument(decode(data, None, options.encoding))


class MarkdownDocument:
    """A Markdown file."""

    def __init__(self, decoded: Decoded) -> None:
        self._decoded = decoded
        with paused_collection():
            self._source = Reader(decoded.text).read()
            self._segments = [Segment(place.path, place.content) for place in self._source.found]

    @property
    def segments(self) -> Sequence[Segment]:
        """Return the texts of blocks, cells, images and titles."""
        return self._segments

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its texts translated, in order, and check the result."""
        check_codes(self._segments, translated)
        translations = changed_contents(self._source.found, translated)
        if not translations:
            return self._decoded.encode(self._decoded.text)
        # Signs that look like markup are escaped only where they would be read as such; whether
        # they do may depend on the whole document, and then all are escaped.
        for attempts_left in reversed(range(MAX_ATTEMPTS)):
            is_careful = attempts_left < MAX_ATTEMPTS - 1
            rendering = Rendering(self._source, translations, is_careful=is_careful)
            text = rendering.document()
            with paused_collection():
                problem = rendering.problem(Reader(text).read())
            if problem is None:
                return self._decoded.encode_or_mark(text)
            if is_careful and (not attempts_left or problem.places.isdisjoint(translations)):
                raise BrokenDocumentError(problem.message)
            # One text in a thousand must not cost the whole document: it stays as it was.
            if is_careful:
                for place in problem.places:
                    translations.pop(place, None)
        raise AssertionError
