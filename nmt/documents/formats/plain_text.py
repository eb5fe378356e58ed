"""Plain text: a line, or a paragraph of wrapped lines, is a segment."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from nmt.documents.content import Content, Segment, Text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.formats.decoding import Decoded, decode
from nmt.documents.formats.limits import check_segment_count

_BREAK = r"\r\n\v\f\x85\u2028\u2029"
# From the first visible character, so that a line of a million spaces is passed only once.
_VISIBLE = re.compile(rf"\S[^{_BREAK}]*")
_LINE_END = re.compile(rf"\r\n|[{_BREAK}]")
# A line that begins like this is not a continuation of the one before: a list item, a quotation,
# a heading, or an indented line.
_NEW_PARAGRAPH = regex.compile(r"[-*+•–—>#|]|\(?\p{N}{1,3}[.)]\s|\(?\p{L}[.)]\s")
_LINE_BREAKS = re.compile(rf"[{_BREAK}]+")


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a segment is in the text."""

    start: int
    end: int
    line: int


class PlainText:
    """A plain text."""

    def __init__(self, decoded: Decoded, *, is_wrapped: bool = False) -> None:
        self._decoded = decoded
        self._is_wrapped = is_wrapped
        lines = _lines(decoded.text)
        self._spans = list(_paragraphs(decoded.text, lines) if is_wrapped else lines)
        check_segment_count(len(self._spans))
        self.segments: Sequence[Segment] = [self._segment(span) for span in self._spans]

    def _segment(self, span: _Span) -> Segment:
        """Make the segment of a span."""
        text = self._decoded.text[span.start : span.end]
        return Segment(f"line {span.line}", (Text(text, text),), is_wrapped=self._is_wrapped)

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the text with its lines translated."""
        pieces: list[str] = []
        at = 0
        for span, segment in zip(self._spans, translated, strict=True):
            pieces += [self._decoded.text[at : span.start], _written(segment.content)]
            at = span.end
        pieces.append(self._decoded.text[at:])
        return self._decoded.encode_or_mark("".join(pieces))


def read_plain_text(data: bytes, options: ReadOptions) -> PlainText:
    """Read a plain text file.

    Raises:
        DocumentError: it is not in its encoding.
        DocumentTooLargeError: it has too many lines.
    """
    return PlainText(decode(data, encoding=options.encoding), is_wrapped=options.is_wrapped)


def _written(content: Content) -> str:
    """Join a translated line."""
    # A line break in new text would add a line to the file.
    pieces = [
        piece.raw if piece.raw is not None else _LINE_BREAKS.sub(" ", piece.text)
        for piece in content
    ]
    return "".join(pieces)


def _lines(text: str) -> Iterator[_Span]:
    """Yield the lines that have a character other than space."""
    number, at = 1, 0
    for match in _VISIBLE.finditer(text):
        number += len(_LINE_END.findall(text, at, match.start()))
        at = match.end()
        yield _Span(match.start(), match.start() + len(match.group().rstrip()), number)


def _paragraphs(text: str, lines: Iterator[_Span]) -> Iterator[_Span]:
    """Join lines that follow each other and go on with a sentence."""
    current: _Span | None = None
    last_line = 0
    for line in lines:
        # Indented lines are lists, verses or code: they begin anew.
        is_indented = line.start > 0 and text[line.start - 1] in " \t\u3000"
        goes_on = line.line == last_line + 1 and not is_indented
        if current and goes_on and not _NEW_PARAGRAPH.match(text, line.start):
            current = _Span(current.start, line.end, current.line)
        else:
            if current:
                yield current
            current = line
        last_line = line.line
    if current:
        yield current
