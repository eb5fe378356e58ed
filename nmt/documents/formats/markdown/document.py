"""Markdown documents: read, and written with their texts translated."""

from collections.abc import Sequence

from nmt.documents.content import Segment
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError
from nmt.documents.formats.checking import check_codes
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
        translations = {
            id(place): segment.content
            for place, segment in zip(self._source.found, translated, strict=True)
            if segment.content != place.content
        }
        if not translations:
            return self._decoded.encode(self._decoded.text)
        problem = ""
        # Signs that look like markup are escaped only where they would be read as such; whether
        # they do may depend on the whole document, and then all are escaped.
        for is_careful in (False, True):
            rendering = Rendering(self._source, translations, is_careful=is_careful)
            text = rendering.document()
            with paused_collection():
                problem = rendering.problem(Reader(text).read())
            if not problem:
                return self._decoded.encode_or_mark(text)
        raise BrokenDocumentError(problem)
