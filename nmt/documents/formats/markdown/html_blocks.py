"""Blocks of HTML in a Markdown document."""

from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise

from nmt.documents.formats.html.elements import ENDED_BY
from nmt.documents.formats.html.reading import Found, Reader
from nmt.documents.formats.html.skipping import Skipped
from nmt.documents.formats.markdown.places import Part, Place, inner_places


class HtmlBlock:
    """A block of HTML, line by line: marks of quotations before a line are not part of it.

    Args:
        data: the document, in UTF-8.
        first_line: number of its first line.
    """

    def __init__(self, data: bytes, first_line: int) -> None:
        self._data = data
        self._first_line = first_line
        self._lines: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> None:
        """Add a line, or several that follow each other."""
        # The parser leaves CR out of the lines.
        if self._lines and not self._data[self._lines[-1][1] : start].strip(b"\r"):
            self._lines[-1] = self._lines[-1][0], end
        else:
            self._lines.append((start, end))

    def read(self, skipped: Skipped | None) -> tuple[list[Place], list[Place], Skipped | None]:
        """Find the texts.

        Args:
            skipped: an element that has begun in an earlier block, and is left as it is.

        Returns:
            All texts, those that are not in another one, and an element that has begun here.
        """
        text = "".join(self._data[start:end].decode() for start, end in self._lines)
        reader = Reader(text, skipped=skipped, first_line=self._first_line).read()
        self._breaks = tuple(
            "\n" + self._data[end:start].decode() for (_, end), (start, _) in pairwise(self._lines)
        )
        self._text = text
        self._bytes = self._places_in_bytes(text)
        outer = [self._place(found) for found in reader.places]
        ordered = [each for place in outer for each in (place, *inner_places(place))]
        unfinished = reader.unfinished
        # The end of an element that needs no end tag cannot be found outside of HTML.
        if unfinished is not None and unfinished.tag in ENDED_BY:
            unfinished = None
        return ordered, outer, unfinished

    def _place(self, found: Found) -> Place:
        start, end = self._span(found.start, found.end)
        place = Place(
            start,
            end,
            found.content,
            found.path,
            "html" if found.quote is None else "value",
            found.quote or "",
            prefixes=self._breaks,
        )
        for code, tag in found.tags.items():
            values = [self._place(value) for value in tag.values]
            place.parts[code] = Part(self._span(tag.start, tag.start + 1)[0], values)
        return place

    def _span(self, start: int, end: int) -> tuple[int, int]:
        if self._bytes is None:
            first = self._lines[0][0]
            return first + start, first + end
        if start == end:
            return self._bytes[start], self._bytes[start]
        return self._bytes[start], self._bytes[end - 1] + len(self._text[end - 1].encode())

    def _places_in_bytes(self, text: str) -> Sequence[int] | None:
        """Map characters to bytes of the document; None if they are as far apart."""
        if len(self._lines) == 1 and text.isascii():
            return None
        places = array("I")
        for start, end in self._lines:
            line = self._data[start:end].decode()
            sizes = (len(character.encode()) for character in line)
            places.extend(list(accumulate(sizes, initial=start))[:-1])
        places.append(self._lines[-1][1])
        return places
