"""Finding the texts of HTML, with their places."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from turbohtml import Token

from nmt.documents.content import Code, Content, Text, plain_text
from nmt.documents.formats.html.attributes import value_content, values
from nmt.documents.formats.html.elements import (
    KINDS,
    READ,
    VOID,
    Attributes,
    Kind,
    is_untranslated,
    text_attributes,
)
from nmt.documents.formats.html.inline import Gathered
from nmt.documents.formats.html.skipping import Skipped
from nmt.documents.formats.html.tokens import (
    REFERENCE,
    START,
    TEXT,
    tokenizable,
    tokenize,
    unreadable,
)

_NO_ATTRIBUTES = 3
"""Characters of an end tag without attributes, besides its name."""
_NO_TAGS: "Mapping[Code, Tag]" = {}
_MAX_DEPTH = 2
"""Of elements whose content is read anew, such as `noscript`."""
_TAG_IN_TEXT = re.compile(r"(</?[A-Za-z][^<>]*>)")


@dataclass(slots=True)
class Found:
    """A text with its place."""

    start: int
    end: int
    content: Content
    path: str
    quote: str | None = None
    """The sign around the value of an attribute, empty for none; None for other text."""
    is_wrapped: bool = True
    tags: "Mapping[Code, Tag]" = field(default_factory=dict)
    """Tags in the content that have values that people read."""


@dataclass(slots=True)
class Tag:
    """An inline tag with values that people read."""

    start: int
    values: list[Found]


class Reader:
    """What finds the texts of HTML.

    Args:
        text: HTML.
        is_string: whether it is a string of another format: then all of it is one text, blocks
            are breaks between sentences, and no attribute is read.
        skipped: an element that has begun before the text, and is left as it is.
        first_line: number of the first line.
    """

    def __init__(
        self,
        text: str,
        *,
        is_string: bool = False,
        skipped: Skipped | None = None,
        first_line: int = 1,
        words: frozenset[str] = frozenset(),
    ) -> None:
        self.found: list[Found] = []
        """All texts, in the order of the document; values of tags follow the text around them."""
        self.places: list[Found] = []
        """Those that are not in another one."""
        self.page: slice | None = None
        """The place of the tag `<html>`."""
        self.text = text
        self.masked = tokenizable(text, is_string=is_string)
        """The text with templates hidden."""
        self._has_hidden = self.masked is not text
        self._is_string = is_string
        self._first_line = first_line
        self._words = words
        """Names of elements that the client wants to be left as they are, as words."""
        self._depth = 0
        self._start = 0
        self._line = first_line
        self._gathered = Gathered()
        self._tags: Mapping[Code, Tag] = _NO_TAGS
        self._skipped = skipped
        self.unfinished: Skipped | None = None
        """The element that is left as it is and goes on behind the text."""
        self._inside: Kind | None = None

    def read(self) -> "Reader":
        """Find all texts."""
        self._read(0, len(self.text), self._first_line)
        self._end_block(len(self.text))
        return self

    def read_string(self) -> Content:
        """Read the whole as one content."""
        self._read(0, len(self.text), self._first_line)
        return self._gathered.take()

    def _read(self, start: int, end: int, first_line: int) -> None:
        gathered, is_page = self._gathered, not self._is_string
        pieces, is_plain = gathered.pieces, not self._has_hidden
        masked = self.masked[start:end]
        position = start
        # A long page has half a million tokens: what is done for each of them is done here.
        for token in tokenize(masked):
            at = position
            tag, source = token.tag, token.source
            if source is None:
                source = token.data or ""
            elif not masked.startswith(source, at - start):
                raise unreadable(token)
            position += len(source)
            if self._skipped is not None and self._is_skipped(self._skipped, token, at, position):
                continue
            if not pieces:
                # Tags of blocks, and white space before a text, are not part of it.
                if is_page and (
                    source.isspace()
                    if tag is None
                    else tag not in KINDS and len(source) <= len(tag) + _NO_ATTRIBUTES
                ):
                    self._inside = None if tag is not None else self._inside
                    continue
                self._start = at
                self._line = first_line + token.line - 1
            if tag is None:
                if is_plain and self._inside is None and token.type is TEXT:
                    pieces.append(Text(source, source))
                    if not gathered.has_text:
                        gathered.has_text = not source.isspace()
                else:
                    self._add(token, source, at, position)
            elif token.type is START:
                self._start_tag(token, tag, at, position)
            else:
                self._end_tag(tag, at, position)
        if self._skipped is not None:
            self.unfinished = self._skipped
            self._end_skipped(self._skipped, position)
        # A tag without an end.
        if position < end and self._is_string:
            gathered.code(Code(self.text[position:end], "point"))

    def _add(self, token: Token, source: str, start: int, end: int) -> None:
        """Add a token that is not a tag."""
        kind = token.type
        if kind is TEXT:
            if self._inside is not None:
                self._add_inside(start, end, token.line)
            elif self._has_hidden:
                self._gathered.hidden(self.text[start:end], source)
            else:
                self._gathered.text(source)
        elif kind is REFERENCE:
            self._gathered.escape(token.data or "", source)
        else:
            self._gathered.code(Code(self.text[start:end], "point"))

    def _add_inside(self, start: int, end: int, line: int) -> None:
        """Add the text inside an element whose tags the tokenizer does not see."""
        if self._inside == "raw":
            if self._depth < _MAX_DEPTH:
                self._inside = None
                self._depth += 1
                self._read(start, end, line)
                self._depth -= 1
            return
        for number, part in enumerate(_TAG_IN_TEXT.split(self.text[start:end])):
            if number % 2:
                self._gathered.code(Code(part, "point", is_exact=True))
            elif part:
                self._gathered.text(part)

    def _start_tag(self, token: Token, tag: str, start: int, end: int) -> None:
        kind = KINDS.get(tag)
        # Most tags are no longer than their name.
        attributes = (token.attrs or ()) if end - start > len(tag) + 2 else ()
        if (
            kind in ("opaque", "opaque_inline")
            or tag in self._words
            or (attributes and is_untranslated(attributes))
        ):
            self._skip(token, tag, start, end)
            return
        if kind == "inline":
            code = self._gathered.open(tag, self.text[start:end])
        elif kind in ("break", "point"):
            code = Code(self.text[start:end], kind)
            self._gathered.code(code)
        elif kind == "image":
            code = Code(self.text[start:end], "word")
            self._gathered.code(code)
        else:
            code = None
            self._block(start, end)
            self._inside = kind
            if kind == "page" and self.page is None:
                self.page = slice(start, end)
        if attributes and not self._is_string and not READ.isdisjoint(dict(attributes)):
            self._read_values(code, tag, attributes, start, end)

    def _end_tag(self, tag: str, start: int, end: int) -> None:
        kind = KINDS.get(tag)
        if kind == "inline":
            self._gathered.close(tag, self.text[start:end])
        elif kind in ("break", "point", "opaque_inline"):
            self._gathered.code(Code(self.text[start:end], "point"))
        else:
            self._block(start, end)
            self._inside = None

    def _block(self, start: int, end: int) -> None:
        if self._is_string:
            self._gathered.code(Code(self.text[start:end], "break"))
        else:
            self._end_block(start)

    def _end_block(self, end: int) -> None:
        """Take what has been gathered as one text, if there is any in it."""
        if not self._gathered.pieces:
            return
        has_text = self._gathered.has_text
        content = self._gathered.take()
        tags, self._tags = self._tags, _NO_TAGS
        if has_text:
            path = f"line {self._line}"
            block = Found(self._start, end, content, path, None, self._inside is None, tags)
            self.places.append(block)
            self.found.append(block)
        if tags:
            found = [value for tag in tags.values() for value in tag.values]
            self.found += found
            if not has_text:
                self.places += found

    def _read_values(
        self, code: Code | None, tag: str, attributes: Attributes, start: int, end: int
    ) -> None:
        """Find the values of a tag that people read.

        Args:
            code: of the tag; None for a block.
            tag: its name.
            attributes: of it.
            start: where it starts.
            end: where it ends.
        """
        names = text_attributes(tag, attributes)
        found: list[Found] = []
        for value in values(self.masked[start:end], tag):
            if value.name in names:
                span = slice(start + value.start, start + value.end)
                content = value_content(self.text[span], self.masked[span])
                path = f"line {self._line} @{value.name}"
                if plain_text(content).strip():
                    found.append(Found(span.start, span.stop, content, path, value.quote))
        if code is not None:
            if found:
                self._tags = {**self._tags, code: Tag(start, found)}
        else:
            self.places += found
            self.found += found

    def _skip(self, token: Token, tag: str, start: int, end: int) -> None:
        """Begin to leave an element as it is."""
        skipped = Skipped(tag, start, is_word=tag in self._words)
        if not skipped.is_inline and not self._is_string:
            self._end_block(start)
        if token.self_closing or tag in VOID:
            self._end_skipped(skipped, end)
        else:
            self._skipped = skipped

    def _is_skipped(self, skipped: Skipped, token: Token, start: int, end: int) -> bool:
        ending = skipped.ending(token)
        if ending is not None:
            self._end_skipped(skipped, start if ending == "before" else end)
        return ending != "before"

    def _end_skipped(self, skipped: Skipped, end: int) -> None:
        self._skipped = None
        if skipped.is_inline or self._is_string:
            self._gathered.code(Code(self.text[skipped.start : end], skipped.code_kind))
