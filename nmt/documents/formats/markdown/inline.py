"""The content of one text of Markdown, gathered from the events of its parser."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nmt.documents.content import Code, plain_text
from nmt.documents.formats.html.inline import Gathered
from nmt.documents.formats.html.skipping import Skipped
from nmt.documents.formats.markdown.escapes import escaped_content
from nmt.documents.formats.markdown.hiding import Span, hidden_code
from nmt.documents.formats.markdown.html_tags import InlineTag, read_tag
from nmt.documents.formats.markdown.places import Kind, Part, Place, inner_places

Link = Mapping[str, Any]
"""What the parser says of a link or an image: its kind, target, title and label."""
_MAX_IMAGES = 3
"""Images inside each other whose texts are read."""
_TITLE = re.compile(r"""\]\([^\n]*?[\s>]("[^"\n]*"|'[^'\n]*'|\([^()\n]*\))\s*\)\Z""")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_AFTER_BREAK = re.compile(r"\s*\n[ \t>]*")
_BACKSLASH = 0x5C
_MARKS = {"Emphasis": 1, "Strong": 2}


@dataclass(slots=True)
class _Level:
    """What has been gathered of a text, or of the description of an image in it."""

    start: int
    gathered: Gathered = field(default_factory=Gathered)
    parts: dict[Code, Part] = field(default_factory=dict)
    breaks: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    links: list[tuple[int, Link]] = field(default_factory=list)
    """Links and images that have begun, with where their text starts."""


class Inline:
    """What gathers the content of a text from inline events.

    Every byte from the start of the text to its end becomes part of a text or of a code.

    Args:
        data: the document, in UTF-8.
        masked: the document as the parser sees it.
        hidden: parts of it that are not Markdown, in order.
    """

    def __init__(self, data: bytes, masked: bytes, hidden: Sequence[Span]) -> None:
        self.path = ""
        """Of the text that is gathered."""
        self._data = data
        self._masked = masked
        self._hidden = hidden
        self._next_hidden = 0
        self.levels: list[_Level] = []
        """The text that is gathered, with the images around the place that has been reached."""
        self._cursor = 0
        self._plain: int | None = None
        """Where the plain text before the cursor starts."""
        self._break: str | None = None
        """The kind of the line break at the cursor."""
        self._ignored_until = 0
        self._skipped: Skipped | None = None

    def take(self, kind: Kind) -> tuple[Place | None, list[Place]]:
        """Return what has been gathered, and begin anew.

        Returns:
            The text, if there is any, and the texts inside its codes.
        """
        self._end_skipped(self._cursor)
        self._end_plain()
        # The description of an image that goes on, which the parser never gives, would be lost.
        level, self.levels = self.levels[0], []
        self._break = None
        has_text = level.gathered.has_text
        place = self._place(level, kind)
        return (place if has_text else None), list(inner_places(place))

    def text(self, value: str, start: int, end: int) -> None:
        """Add a text."""
        if self._plain is not None and start == self._cursor and end - start == len(value):
            self._cursor = end
            return
        if self._is_ignored(start, end):
            return
        if self._advance(start, is_text=True):
            # The parser leaves the backslash of an escape out of the text.
            self._end_plain()
            self.levels[-1].gathered.escape(value[0], "\\" + value[0])
            self._cursor = start = start + 1
            value = value[1:]
            if not value:
                return
        if self._is_plain(value, start, end):
            if self._plain is None:
                self._plain = start
        else:
            self._end_plain()
            self.levels[-1].gathered.escape(value, self._raw(start, end))
        self._cursor = end

    def start(self, name: str, value: Any, start: int, end: int) -> None:  # noqa: ANN401
        """Add the start of emphasis, of a link or of an image."""
        if self._is_ignored(start, start):
            return
        self._advance(start)
        self._end_plain()
        level = self.levels[-1]
        if name == "Link":
            link = value["Link"]
            if link["link_type"] in ("Autolink", "Email"):
                self._whole(start, end)
                return
            self._cursor = start + 1
            level.links.append((self._cursor, link))
            level.labels.append(link["id"])
            level.gathered.open("[", "[", is_exact=True)
        elif name == "Image":
            if len(self.levels) > _MAX_IMAGES:
                self._whole(start, end)
                return
            self._cursor = start + 2
            level.links.append((self._cursor, value["Image"]))
            level.labels.append(value["Image"]["id"])
            self.levels.append(_Level(self._cursor))
        else:
            size = _MARKS.get(name) or (2 if self._data.startswith(b"~~", start) else 1)
            level.gathered.open(name, self._raw(start, start + size))
            self._cursor = start + size

    def end(self, name: str, start: int, end: int) -> None:
        """Add the end of emphasis, of a link or of an image."""
        if self._is_ignored(start, end):
            return
        self._break = None
        self._end_plain()
        if name == "Image":
            self._end_image(start, end)
            return
        level = self.levels[-1]
        if name == "Link":
            text_start, link = level.links.pop()
            end = self._end_of_link(link, end)
            code = level.gathered.close("[", self._raw(self._cursor, end), is_exact=True)
            self._add_part(level, code, link, text_start, self._cursor, [])
        else:
            level.gathered.close(name, self._raw(self._cursor, end))
        self._cursor = end

    def html(self, start: int, end: int) -> None:
        """Add a tag of HTML."""
        tag = read_tag(self._raw(start, end), start)
        if self._skipped is not None:
            ending = None if tag is None else self._skipped.ending(tag.token)
            if ending != "before":
                self._cursor = end
                if ending == "after":
                    self._end_skipped(end)
                return
            self._end_skipped(start)
        if self._is_ignored(start, end):
            return
        self._advance(start)
        self._end_plain()
        if tag is not None:
            self._skipped = tag.begins_skipped()
        if self._skipped is None:
            self._add_tag(tag, start, end)
        self._cursor = end

    def code(self, kind: str, start: int, end: int) -> None:
        """Add a code span, or the mark of a footnote."""
        if self._is_ignored(start, end):
            return
        self._advance(start)
        self._end_plain()
        level = self.levels[-1]
        if kind == "FootnoteReference":
            raw = self._raw(start, end)
            level.labels.append(raw[1:-1])
            level.gathered.code(Code(raw, "point"))
        else:
            level.gathered.code(Code(self._raw(start, end), "word"))
        self._cursor = end

    def line_break(self, kind: str, start: int, end: int) -> None:
        """Add a line break, which ends where the next event starts."""
        if not self._is_ignored(start, end):
            self._break = kind

    def _is_ignored(self, start: int, end: int) -> bool:
        """Tell whether a place is in something that is left as it is."""
        if self._skipped is not None:
            self._cursor = max(self._cursor, end)
            return True
        return start < self._ignored_until

    def _whole(self, start: int, end: int) -> None:
        """Add an element as one code."""
        self.levels[-1].gathered.code(Code(self._raw(start, end), "word"))
        self._ignored_until = self._cursor = end

    def _advance(self, start: int, *, is_text: bool = False) -> bool:
        """Take what is between the cursor and the next event.

        Returns:
            Whether a backslash before the event escapes its first character.
        """
        if not self.levels:
            is_escaped = is_text and start > 0 and self._masked[start - 1] == _BACKSLASH
            self._cursor = start - is_escaped
            self.levels.append(_Level(self._cursor))
            return is_escaped
        if start <= self._cursor and self._break is None:
            return False
        is_escaped = is_text and start > self._cursor and self._masked[start - 1] == _BACKSLASH
        between = self._raw(self._cursor, start - is_escaped)
        if between or self._break is not None:
            self._between(between, start - is_escaped)
        return is_escaped

    def _between(self, raw: str, end: int) -> None:
        """Add a line break with what follows it, or anything else that is not an event."""
        gathered = self.levels[-1].gathered
        kind, self._break = self._break, None
        if kind is not None:
            line_break = _LINE_BREAK.search(raw)
            self.levels[-1].breaks.append(raw[line_break.start() if line_break else 0 :])
        if kind == "HardBreak":
            self._end_plain()
            gathered.code(Code(raw, "break"))
        elif raw.isspace():
            if self._plain is None:
                self._plain = self._cursor
        elif kind is not None:
            self._end_plain()
            gathered.escape("\n", raw)
        else:
            self._end_plain()
            gathered.code(Code(raw, "point"))
        self._cursor = end

    def _end_plain(self) -> None:
        """Add the plain text before the cursor, with the parts that are not Markdown as codes."""
        if self._plain is None:
            return
        start, self._plain = self._plain, None
        gathered = self.levels[-1].gathered
        while self._next_hidden < len(self._hidden):
            first, last = self._hidden[self._next_hidden]
            if first >= self._cursor:
                break
            self._next_hidden += 1
            if last <= start:
                continue
            if first > start:
                gathered.text(self._raw(start, first))
            gathered.code(hidden_code(self._raw(first, last)))
            start = last
        if start < self._cursor:
            gathered.text(self._raw(start, self._cursor))

    def _end_skipped(self, end: int) -> None:
        if self._skipped is not None:
            skipped, self._skipped = self._skipped, None
            raw = self._raw(skipped.start, end)
            self.levels[-1].gathered.code(Code(raw, skipped.code_kind))
            self._cursor = end

    def _add_tag(self, tag: InlineTag | None, start: int, end: int) -> None:
        level = self.levels[-1]
        if tag is None:
            level.gathered.code(Code(self._raw(start, end), "point"))
            return
        code = tag.add_to(level.gathered)
        part = tag.part(self.path)
        if part is not None:
            level.parts[code] = part

    def _end_image(self, start: int, end: int) -> None:
        inner = self.levels.pop()
        level = self.levels[-1]
        text_start, image = level.links.pop()
        has_text = inner.gathered.has_text
        alt = self._place(inner, "alt")
        end = self._end_of_link(image, end)
        code = level.gathered.code(Code(self._raw(start, end), "word"))
        # Without a text, an image in its description is read by itself.
        places = [] if has_text else [p for part in alt.parts.values() for p in part.places]
        if has_text:
            places.append(alt)
        self._add_part(level, code, image, text_start, start, places)
        self._cursor = end

    def _end_of_link(self, link: Link, end: int) -> int:
        # The parser leaves the empty brackets of `[text][]` out of the link.
        is_short = link["link_type"] == "Collapsed" and self._data.startswith(b"[]", end)
        return end + 2 if is_short else end

    def _add_part(
        self,
        level: _Level,
        code: Code,
        link: Link,
        text_start: int,
        start: int,
        places: list[Place],
    ) -> None:
        """Add the texts of a link or an image, but for the text of a link.

        Args:
            level: where it is.
            code: the end of a link, or an image.
            link: what the parser says of it.
            text_start: where its text starts.
            start: where the code starts.
            places: texts in it.
        """
        end = self._raw(self._cursor, start + len(code.raw.encode()))
        title = _TITLE.match(end) if link["title"] else None
        if title is not None:
            at = self._cursor + len(end[: title.start(1)].encode())
            quoted = title[1]
            content = escaped_content(quoted[1:-1])
            if plain_text(content).strip():
                place = Place(
                    at + 1,
                    at + len(quoted.encode()) - 1,
                    content,
                    f"{self.path} (title)",
                    "title",
                    quoted[0],
                )
                places = [*places, place]
        label = ""
        if link["link_type"] in ("Shortcut", "Collapsed"):
            label = _AFTER_BREAK.sub(" ", self._raw(text_start, self._cursor))
        if places or label:
            level.parts[code] = Part(start, places, label)

    def _place(self, level: _Level, kind: Kind) -> Place:
        return Place(
            level.start,
            self._cursor,
            level.gathered.take(),
            self.path,
            kind,
            prefixes=tuple(level.breaks),
            labels=tuple(label for label in level.labels if label),
            parts=level.parts,
        )

    def _is_plain(self, value: str, start: int, end: int) -> bool:
        """Tell whether a text is written as it is read."""
        if end - start == len(value):
            return True
        return not value.isascii() and self._masked[start:end] == value.encode()

    def _raw(self, start: int, end: int) -> str:
        return self._data[start:end].decode()
