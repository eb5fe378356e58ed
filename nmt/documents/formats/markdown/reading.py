"""Finding the texts of Markdown, with their places."""

from typing import Any

from nmt.documents.errors import DocumentError
from nmt.documents.formats.html.skipping import Skipped
from nmt.documents.formats.limits import check_depth, check_piece_count
from nmt.documents.formats.markdown.events import events
from nmt.documents.formats.markdown.front_matter import front_matter
from nmt.documents.formats.markdown.hiding import hidden_spans, without
from nmt.documents.formats.markdown.html_blocks import HtmlBlock
from nmt.documents.formats.markdown.inline import Inline
from nmt.documents.formats.markdown.places import Kind, Place

_INLINE = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})
_FRONT_MATTER: dict[str, Kind] = {"YamlStyle": "yaml", "PlusesStyle": "toml"}


class Reader:
    """What finds the texts of Markdown.

    Args:
        text: the document.
    """

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self.found: list[Place] = []
        """All texts, in the order of the document; those in a code follow the text around it."""
        self.places: list[Place] = []
        """Those that are not in another one."""
        hidden = hidden_spans(text, self.data)
        masked = without(self.data, hidden) if hidden else self.data
        self._text = masked.decode() if hidden else text
        self._inline = Inline(self.data, masked, hidden)
        self._kind: Kind = "block"
        self._html: HtmlBlock | None = None
        self._skipped: Skipped | None = None
        self._is_code = False
        self._depth = 0
        self._front_matter: Kind | None = None
        self._line, self._counted = 1, 0
        self._pieces = 0
        """Of the text that is gathered, as the parser gives them."""

    def read(self) -> "Reader":
        """Find all texts."""
        # A long document has half a million events: what is done for each of them is done here.
        for event, place in events(self._text):
            start, end = place["start"], place["end"]
            if isinstance(event, str):
                self._other(event, start, end)
                continue
            for kind, value in event.items():
                if kind == "Text":
                    self._add_text(value, start, end)
                elif kind == "Start":
                    self._start(_name(value), value, start, end)
                elif kind == "End":
                    self._end(_name(value), start, end)
                else:
                    self._other(kind, start, end)
        self._end_text()
        return self

    def _add_text(self, value: Any, start: int, end: int) -> None:  # noqa: ANN401
        if self._is_code:
            return
        if self._front_matter is not None:
            self._read_front_matter(self._front_matter, start, end)
            return
        if not self._inline.levels:
            self._begin(start)
            self._pieces = 0
        self._pieces += 1
        # A text of so many pieces is made of signs that might be markup.
        check_piece_count(self._pieces)
        self._inline.text(value, start, end)

    def _start(self, name: str, value: Any, start: int, end: int) -> None:  # noqa: ANN401
        if name in _INLINE:
            if not self._inline.levels:
                self._begin(start)
            self._inline.start(name, value, start, end)
            return
        self._end_text()
        self._depth += 1
        check_depth(self._depth)
        self._kind = "block"
        if name == "Heading" and self.data.startswith(b"#", start):
            self._kind = "heading"
        elif name == "TableCell":
            self._kind = "cell"
        elif name == "CodeBlock":
            self._is_code = True
        elif name == "HtmlBlock":
            self._html = HtmlBlock(self.data, self._line_at(start))
        elif name == "MetadataBlock":
            self._front_matter = _FRONT_MATTER[value["MetadataBlock"]]

    def _end(self, name: str, start: int, end: int) -> None:
        if name in _INLINE:
            self._inline.end(name, start, end)
            return
        self._end_text()
        self._depth -= 1
        self._kind = "block"
        if name == "CodeBlock":
            self._is_code = False
        elif name == "HtmlBlock":
            self._end_html()
        elif name == "MetadataBlock":
            self._front_matter = None

    def _other(self, kind: str, start: int, end: int) -> None:
        """Take an event that neither starts nor ends anything."""
        if kind == "Html" and self._html is not None:
            self._html.add(start, end)
        elif kind in ("SoftBreak", "HardBreak"):
            self._inline.line_break(kind, start, end)
        elif kind in ("InlineHtml", "Code", "FootnoteReference"):
            if not self._inline.levels:
                self._begin(start)
            if kind == "InlineHtml":
                self._inline.html(start, end)
            else:
                self._inline.code(kind, start, end)

    def _begin(self, start: int) -> None:
        """Begin a text."""
        self._inline.path = f"line {self._line_at(start)}"

    def _end_text(self) -> None:
        """Take what has been gathered."""
        if not self._inline.levels:
            return
        place, inner = self._inline.take(self._kind)
        # The parser stops a table of very many empty cells in the middle of a row.
        if place is not None and self.places and place.start < self.places[-1].end:
            raise DocumentError(
                f"{place.path}: the table before it has too many empty cells. Divide it."
            )
        # An element of HTML that is left as it is may have blocks of Markdown in it.
        if self._skipped is not None:
            return
        if place is not None:
            self.places.append(place)
            self.found.append(place)
        else:
            self.places += inner
        self.found += inner

    def _end_html(self) -> None:
        if self._html is not None:
            found, places, self._skipped = self._html.read(self._skipped)
            self._html = None
            self.found += found
            self.places += places

    def _read_front_matter(self, kind: Kind, start: int, end: int) -> None:
        text = self.data[start:end].decode()
        places = list(front_matter(text, start, kind, self._line_at(start)))
        self.places += places
        self.found += places

    def _line_at(self, start: int) -> int:
        """Return the number of the line of a place; places only go forward."""
        self._line += self.data.count(b"\n", self._counted, start)
        self._counted = max(self._counted, start)
        return self._line


def _name(value: Any) -> str:  # noqa: ANN401
    """Return the name of an element, of which the parser gives the parts if it has any."""
    return value if isinstance(value, str) else next(iter(value))
