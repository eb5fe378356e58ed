"""The content of one block of HTML, gathered from its tokens."""

import re

from nmt.documents.content import Code, Content, Text
from nmt.documents.errors import DocumentTooLargeError
from nmt.documents.formats.html.elements import EXACT
from nmt.documents.formats.html.templates import HIDDEN, template_code
from nmt.documents.formats.limits import MAX_CODES, check_piece_count

_ADDRESS = re.compile(r"https?://[^\s<>{}]{1,2000}\Z")
_GOES_ON = re.compile(r"[\w/?&=#%{-]")


class Gathered:
    """Texts and codes of a block, until its end is known.

    A code that opens an element has a pair once the element is closed. Elements that overlap have
    none, so that their tags keep their order.
    """

    def __init__(self) -> None:
        self.pieces: list[Text | Code] = []
        """What there is so far; always the same list."""
        self._open: list[tuple[str, Code]] = []
        self._names: dict[str, int] = {}
        self._pairs = 0
        self._codes = 0
        self.has_text = False

    def take(self) -> Content:
        """Return the content, and begin anew."""
        content = tuple(self.pieces)
        self.pieces.clear()
        if self._open:
            self._open.clear()
            self._names.clear()
        self._pairs = self._codes = 0
        self.has_text = False
        return content

    def text(self, text: str) -> None:
        """Add text without escapes and template tags."""
        self.pieces.append(Text(text, text))
        if not self.has_text:
            self.has_text = not text.isspace()

    def escape(self, text: str, raw: str) -> None:
        """Add an escape with its meaning."""
        check_piece_count(len(self.pieces) + 1)
        self.pieces.append(Text(text, raw))
        if not self.has_text:
            self.has_text = not text.isspace()

    def code(self, code: Code) -> Code:
        """Add a code that neither opens nor closes an element, and return it."""
        self._add_code(code)
        return code

    def open(self, tag: str, raw: str, *, is_exact: bool = False) -> Code:
        """Add the start tag of an inline element, and return its code."""
        code = Code(raw, "open", None, is_exact or tag in EXACT)
        self._add_code(code)
        self._open.append((tag, code))
        self._names[tag] = self._names.get(tag, 0) + 1
        return code

    def close(self, tag: str, raw: str, *, is_exact: bool = False) -> Code:
        """Add the end tag of an inline element, and return its code."""
        code = Code(raw, "close", None, is_exact or tag in EXACT)
        self._add_code(code)
        if not self._open:
            return code
        last, opened = self._open[-1]
        if last == tag:
            self._open.pop()
            self._names[tag] -= 1
            self._pairs += 1
            opened.pair = code.pair = self._pairs
            return code
        # The elements overlap: this one and those inside it are each without a pair.
        if any_open := self._names.get(tag):
            while any_open == self._names[tag]:
                self._names[self._open.pop()[0]] -= 1
        return code

    def _add_code(self, code: Code) -> None:
        # Hostile files have a hundred thousand, which would take seconds before the whole document
        # is compared with its limits.
        self._codes += 1
        if self._codes > MAX_CODES:
            raise DocumentTooLargeError(
                f"A text has more than {MAX_CODES:,} inline codes (max_codes)."
            )
        self.pieces.append(code)

    def hidden(self, text: str, masked: str) -> None:
        """Add text that holds template tags, which are hidden in `masked`."""
        position = 0
        for match in HIDDEN.finditer(masked):
            if _ends_address(text, position, match):
                continue
            if match.start() > position:
                self.text(text[position : match.start()])
            position = match.end()
            self._template(text[match.start() : position])
        if position < len(text):
            self.text(text[position:])

    def _template(self, raw: str) -> None:
        name = raw.strip("</> ")
        if not name.isdigit():
            self.code(template_code(raw))
        elif raw.startswith("</"):
            self.close(name, raw, is_exact=True)
        elif raw.endswith("/>"):
            self.code(Code(raw, "word"))
        else:
            self.open(name, raw, is_exact=True)


def _ends_address(text: str, start: int, tag: re.Match[str]) -> bool:
    """Tell whether a template value is the end of an address, which is kept as a whole."""
    return (
        text.startswith("{{", tag.start())
        and not _GOES_ON.match(text, tag.end())
        and _ADDRESS.search(text, start, tag.start()) is not None
    )
