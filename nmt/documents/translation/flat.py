"""The content of a segment as one string, and its sentences there."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nmt.documents.content import Code, CodeKind, Content, Text
from nmt.text.edges import CODE, NAME, core_of, has_words, mask
from nmt.text.normalise import NOISE
from nmt.text.protected import Protected, find_protected, merge_touching
from nmt.text.segment import LINE_BREAK, sentence_ends

_WHITE_SPACE = str.maketrans("\n\r\t", "   ")
# Those that are not white space where lines are wrapped.
_BREAK = "\ue004"
_AFTER_WORD = re.compile(rf"[\s{CODE},;:.!?…)\]»”]*")
_BEFORE_WORD = re.compile(rf"[\s{CODE},;:(\[«“–—]*")
# Codes and invisible characters between two characters of a word.
_INVISIBLE = re.compile(rf"(?<=\S)(?:{CODE}|{NOISE.pattern})(?=\S)")
_HARD_LINE_BREAK = re.compile(f"[\x0b\x0c\x85\u2028\u2029{_BREAK}]")
_LINE_BREAK = re.compile(rf"{LINE_BREAK.pattern}|{_BREAK}")


# Not frozen, as `Text` is not: each segment has some of both, and a frozen one takes three times as
# long to make.
@dataclass(slots=True)
class Part:
    """A range of a flat content."""

    start: int
    end: int
    is_sentence: bool
    goes_on: bool = False
    """Whether it is a part of a sentence that does not end with it."""


@dataclass(slots=True, eq=False)
class Flat:
    """A content as a string, in which every inline code is one character."""

    content: Content
    starts: Sequence[int]
    """Position of each piece of the content."""
    text: str
    masked: str
    """The text with protected words masked; an inline code that is a word is one of them."""
    codes: Mapping[int, Code]
    """By position."""
    partners: Mapping[int, int]
    """Positions of codes that belong together, each by the other."""
    words: Sequence[Protected]
    is_positional: bool
    """Whether every placeholder is filled by its position."""

    @classmethod
    def of(cls, content: Content, *, is_positional: bool = False) -> "Flat":
        """Build the string of a content."""
        starts: list[int] = []
        codes: dict[int, Code] = {}
        length = 0
        for piece in content:
            starts.append(length)
            if isinstance(piece, Code):
                codes[length] = piece
            length += len(piece.text) if isinstance(piece, Text) else 1
        text = "".join(piece.text if isinstance(piece, Text) else CODE for piece in content)
        partners = _partners(codes)
        words = _words(text, codes, partners)
        masked = mask(text, words) if words else text
        if any(code.kind == "break" for code in codes.values()):
            masked = "".join(
                _BREAK if at in codes and codes[at].kind == "break" else character
                for at, character in enumerate(masked)
            )
        return cls(content, starts, text, masked, codes, partners, words, is_positional)

    def slice(self, start: int, end: int) -> Iterator[Text | Code]:
        """Yield the pieces of a range, as the source has them."""
        if start >= end:
            return
        if start == 0 and end == len(self.text):
            yield from self.content
            return
        index = bisect_right(self.starts, start) - 1
        while index < len(self.starts) and self.starts[index] < end:
            piece, first = self.content[index], self.starts[index]
            index += 1
            if isinstance(piece, Code):
                yield piece
            elif piece.raw is None or piece.raw == piece.text:
                part = piece.text[max(start - first, 0) : end - first]
                if part:
                    yield Text(part, None if piece.raw is None else part)
            elif first >= start:  # an escape cannot be divided: it belongs to its first character
                yield piece

    def parts(self, language: str, *, is_wrapped: bool) -> list[Part]:
        """Divide the content into sentences and what is between them.

        Args:
            language: FLORES-200 code.
            is_wrapped: whether a line break is just white space.
        """
        parts: list[Part] = []
        for start, end in self._lines(is_wrapped=is_wrapped):
            for first, last in self._sentences(start, end, language):
                parts += self.without_edges(first, last, language)
        return parts

    def without_edges(self, start: int, end: int, language: str) -> Iterator[Part]:
        """Yield the words of a sentence, and what is before and after them.

        Args:
            start: of the sentence.
            end: of the sentence.
            language: FLORES-200 code.
        """
        first, last = core_of(self.masked, start, end)
        if first >= last:
            first = last = end
        elif self.codes:
            first, last = self._with_spans(start, first, last, end)
        core = self.masked[first:last]
        # A name alone may be a word after all: a model that does not copy it shows that it is not.
        if not (has_words(core, language) or NAME in core):
            first = last = end
        if start < first:
            yield Part(start, first, is_sentence=False)
        if first < last:
            yield Part(first, last, is_sentence=True)
        if last < end:
            yield Part(last, end, is_sentence=False)

    def without_signs(self, start: int, end: int, *, is_first: bool, is_last: bool) -> Part:
        """Leave out the signs with which a part of a sentence is joined to its neighbours.

        Args:
            start: of the part.
            end: of the part.
            is_first: whether the sentence begins with it.
            is_last: whether the sentence ends with it.
        """
        # A model drops a comma or a bracket with which its text begins or ends.
        if not is_first and (match := _AFTER_WORD.match(self.masked, start, end)):
            opened = (at for at in range(start, match.end()) if self._is(at, "open"))
            start = next(opened, match.end())
        if not is_last and (match := _BEFORE_WORD.match(self.masked[start:end][::-1])):
            closed = (at + 1 for at in range(end - match.end(), end) if self._is(at, "close"))
            end = max(closed, default=end - match.end())
        return Part(start, end, is_sentence=True)

    def _is(self, position: int, kind: CodeKind) -> bool:
        return position in self.codes and self.codes[position].kind == kind

    def _lines(self, *, is_wrapped: bool) -> Iterator[tuple[int, int]]:
        """Yield the ranges that line breaks of text and of codes leave, and those of the breaks."""
        pattern = _HARD_LINE_BREAK if is_wrapped else _LINE_BREAK
        start = 0
        for match in pattern.finditer(self.masked):
            yield start, match.start()
            yield match.span()
            start = match.end()
        yield start, len(self.masked)

    def _sentences(self, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
        """Yield the ranges of the sentences of a line."""
        line = view = self.masked[start:end]
        if not line.isprintable():  # neither codes nor white space but spaces are
            view = line.replace(CODE, "").translate(_WHITE_SPACE)
        ends = sentence_ends(view, language) if view else [0]
        if len(view) == len(line):
            first = 0
            for last in ends:
                yield start + first, start + last
                first = last
            return
        first = at = start
        seen = 0
        for last in ends[:-1]:
            while seen < last:
                seen += self.masked[at] != CODE
                at += 1
            # A code that closes belongs to the sentence before it, one that opens to the next.
            while self._is(at, "close"):
                at += 1
            yield first, at
            first = at
        yield first, end

    def _with_spans(self, start: int, first: int, last: int, end: int) -> tuple[int, int]:
        """Take in codes at the edges whose partner is among the words."""
        core, at = (first, last), first
        while at > start and (at - 1 in self.codes or self.masked[at - 1].isspace()):
            at -= 1
            if core[0] < self.partners.get(at, -1) < core[1]:
                first = at
        at = last
        while at < end and (at in self.codes or self.masked[at].isspace()):
            if core[0] <= self.partners.get(at, -1) < core[1]:
                last = at + 1
            at += 1
        return first, last


def _partners(codes: Mapping[int, Code]) -> dict[int, int]:
    opened: dict[int, int] = {}
    partners: dict[int, int] = {}
    for position, code in codes.items():
        if code.pair is None:
            continue
        if code.kind == "open":
            opened[code.pair] = position
        elif code.kind == "close" and code.pair in opened:
            other = opened.pop(code.pair)
            partners[other], partners[position] = position, other
    return partners


def _words(
    text: str, codes: Mapping[int, Code], partners: Mapping[int, int]
) -> Sequence[Protected]:
    """Find the protected words of a text with its codes, in order."""
    found = _find_words(text, codes)
    if not codes:
        return found
    # A code between the halves of a word, such as a tag in an address, must keep its own place.
    whole = [word for word in found if _is_whole(text, word, partners, codes)]
    inside = {at for word in whole for at in range(word.start, word.end) if at in codes}
    whole += [
        Protected(position, position + 1, "fixed")
        for position, code in codes.items()
        if code.kind == "word" and position not in inside
    ]
    return merge_touching(sorted(whole, key=lambda word: word.start))


def _find_words(text: str, codes: Mapping[int, Code]) -> Sequence[Protected]:
    """Find protected words, also those with a place for a line break or the like inside."""
    if text.isprintable():  # no code and no invisible character is
        return find_protected(text)
    inside = [
        match.start()
        for match in _INVISIBLE.finditer(text)
        if match.start() not in codes or codes[match.start()].kind == "point"
    ]
    if not inside:
        return find_protected(text)
    left_out = set(inside)
    kept = [at for at in range(len(text)) if at not in left_out]
    return [
        Protected(kept[word.start], kept[word.end - 1] + 1, word.kind)
        for word in find_protected("".join([text[at] for at in kept]))
    ]


def _is_whole(
    text: str, word: Protected, partners: Mapping[int, int], codes: Mapping[int, Code]
) -> bool:
    if CODE not in text[word.start : word.end]:
        return True
    return all(
        codes[at].kind in ("point", "word") or word.start <= partners.get(at, -1) < word.end
        for at in range(word.start, word.end)
        if at in codes
    )
