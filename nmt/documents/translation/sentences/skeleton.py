"""A sentence as a model reads it: without codes, and with stand-ins for protected words."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nmt.documents.content import Code, Text
from nmt.documents.translation.flat import Flat
from nmt.documents.translation.placing import CodeAt
from nmt.documents.translation.sentences.standins import numbers_for, token
from nmt.text.edges import CODE
from nmt.text.normalise import normalise
from nmt.text.protected import Protected, is_positional

_SEEDS = (217, 531)
_SPACE = re.compile(r"\s*")
# Invisible characters, which a format may write as escapes, and tokens.
_SPECIAL = re.compile("[\u00a0\u00ad\u200b\u200e\u200f\u202f\u2060\U000f0000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Token:
    """A protected word of a sentence."""

    start: int
    end: int
    replacement: str | None = None
    """The target term of a glossary; None for the word itself."""
    is_positional: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """A range of a sentence: text, a token, or a mark without a width."""

    start: int
    end: int
    token: int | None = None
    """Its number."""
    mark: Code | None = None
    """The code in `Skeleton.codes`; an emoji is one too."""


@dataclass(frozen=True)
class Skeleton:
    """A sentence without its marks, in which every protected word is one character."""

    flat: Flat
    start: int
    end: int
    text: str
    codes: Sequence[CodeAt]
    tokens: Sequence[Token]
    elements: Sequence[Element]
    names: Sequence[str]
    """Names that the model reads, and has to copy."""

    @cached_property
    def ranges(self) -> Mapping[Code, tuple[int, int]]:
        """Map each of `codes` to its range of the content."""
        return {each.mark: (each.start, each.end) for each in self.elements if each.mark}

    @cached_property
    def normalised(self) -> str:
        """Return the text as a model would read it with its tokens."""
        return normalise(self.text)

    @property
    def readable(self) -> str:
        """Return the sentence for people, without its codes."""
        text = self.flat.text[self.start : self.end].replace(CODE, "")
        return normalise(text)

    def position(self, offset: int) -> int:
        """Find the position in the content of a character of the text; the end for its end."""
        for element in self.elements:
            if element.mark is not None:
                continue
            length = 1 if element.token is not None else element.end - element.start
            if offset < length:
                return element.start + offset
            offset -= length
        return self.end

    def stand_ins(self, form: int) -> list[str]:
        """Choose the stand-ins of its tokens.

        Args:
            form: 0 for numbers; 1 for the words themselves, and other numbers for codes.
        """
        if not self.tokens:
            return []
        numbers = numbers_for(self.text, len(self.tokens), _SEEDS[form])
        if form == 0:
            return numbers
        words = [self.flat.text[each.start : each.end] for each in self.tokens]
        return [
            word if each.start not in self.flat.codes and word == normalise(word) else number
            for each, word, number in zip(self.tokens, words, numbers, strict=True)
        ]

    def sent(self, stand_ins: Sequence[str], text: str | None = None) -> str:
        """Return what the model reads for the sentence, or for a text of it."""
        text = self.text if text is None else text
        if stand_ins:
            text = text.translate({ord(token(index)): each for index, each in enumerate(stand_ins)})
        return normalise(text)


def build_skeleton(
    flat: Flat, start: int, end: int, terms: Sequence[Token] = (), *, names_are_tokens: bool = False
) -> Skeleton:
    """Build the skeleton of a sentence.

    Args:
        flat: the content.
        start: of the sentence.
        end: of the sentence.
        terms: of the glossary, that are tokens too.
        names_are_tokens: whether the model does not see names.
    """
    builder = _Builder(flat, start, end)
    for first, last, found in _specials(flat, start, end, terms, names_are_tokens):
        if isinstance(found, Token):
            builder.add_token(first, last, found)
        else:
            builder.add_mark(first, last, found)
    builder.add_text(end)
    names = [] if names_are_tokens else _names(flat, start, end, builder.tokens)
    return Skeleton(
        flat,
        start,
        end,
        "".join(builder.parts),
        builder.codes,
        builder.tokens,
        builder.elements,
        names,
    )


class _Builder:
    """The text, the codes and the tokens of a sentence, which grow from its start to its end."""

    def __init__(self, flat: Flat, start: int, end: int) -> None:
        self._flat, self._at, self._end = flat, start, end
        self._length = 0
        self.parts: list[str] = []
        self.codes: list[CodeAt] = []
        self.tokens: list[Token] = []
        self.elements: list[Element] = []

    def add_text(self, end: int) -> None:
        """Add the text up to a position."""
        if self._at < end:
            self.elements.append(Element(self._at, end))
            self._append(self._flat.text[self._at : end])
            self._at = end

    def add_token(self, start: int, end: int, found: Token) -> None:
        """Add a token and the text before it."""
        self.add_text(start)
        self.elements.append(Element(start, end, token=len(self.tokens)))
        self._append(token(len(self.tokens)))
        self.tokens.append(found)
        self._at = end

    def add_mark(self, start: int, end: int, found: Code) -> None:
        """Add a code or an emoji and the text before it."""
        text = self._flat.text
        chunk = text[self._at : start]
        # White space on both sides of a mark would become two spaces without it, and white space
        # before a full stop would be sent.
        before = len(chunk) - len(chunk.rstrip())
        after = _space_at(text, end, self._end)
        if found.kind == "open":
            end += after if before or not (self._length + len(chunk)) else 0
        elif before and (after or not text[end : end + 1].isalnum()):
            start -= before
        self.add_text(start)
        self.elements.append(Element(start, end, mark=found))
        self.codes.append(CodeAt(self._length, found))
        self._at = end

    def _append(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)


def _specials(
    flat: Flat, start: int, end: int, terms: Sequence[Token], names_are_tokens: bool
) -> Iterator[tuple[int, int, Token | Code]]:
    """Yield the marks and the tokens of a sentence in order; none is inside another."""
    found: list[tuple[int, int, Token | Code]] = [(term.start, term.end, term) for term in terms]
    for word in words_in(flat, start, end):
        if word.kind == "emoji":
            found.append((word.start, word.end, Code(flat.text[word.start : word.end], "point")))
        elif word.kind == "fixed" or names_are_tokens:
            text = flat.text[word.start : word.end]
            positional = is_positional(text) or (flat.is_positional and text[0] in "%{")
            found.append(
                (word.start, word.end, Token(word.start, word.end, is_positional=positional))
            )
    if flat.codes:
        found += [
            (position, position + 1, flat.codes[position])
            for position in range(start, end)
            if position in flat.codes and flat.codes[position].kind != "word"
        ]
    last = start
    # Of those at the same place, the longer one has the other inside.
    for each in sorted(found, key=lambda special: (special[0], -special[1])):
        if each[0] >= last:
            yield each
            last = each[1]


def words_in(flat: Flat, start: int, end: int) -> Iterator[Protected]:
    """Yield the protected words that begin in a range."""
    index = bisect_left(flat.words, start, key=lambda word: word.start)
    while index < len(flat.words) and flat.words[index].start < end:
        yield flat.words[index]
        index += 1


def _names(flat: Flat, start: int, end: int, tokens: Sequence[Token]) -> list[str]:
    """List the names of a sentence, each with the token that it touches."""
    numbers = {each.end: index for index, each in enumerate(tokens)}
    return [
        (token(numbers[word.start]) if word.start in numbers else "")
        + flat.text[word.start : word.end]
        for word in words_in(flat, start, end)
        if word.kind == "name"
    ]


def _space_at(text: str, start: int, end: int) -> int:
    """Count the white space from a position."""
    match = _SPACE.match(text, start, end)
    return match.end() - start if match else 0


def pieces_of(skeleton: Skeleton, target: str) -> Iterator[Text | Code]:
    """Yield the content of a stretch of the translation, with its tokens and escaped spaces."""
    escapes = _escapes(skeleton)
    at = 0
    for match in _SPECIAL.finditer(target):
        if match.start() > at:
            yield Text(target[at : match.start()])
        at = match.end()
        index = ord(match[0]) - ord(token(0))
        if 0 <= index < len(skeleton.tokens):
            found = skeleton.tokens[index]
            if found.replacement is not None:
                yield Text(found.replacement)
            else:
                yield from skeleton.flat.slice(found.start, found.end)
        else:
            yield escapes.get(match[0], Text(match[0]))
    if at < len(target):
        yield Text(target[at:])


def _escapes(skeleton: Skeleton) -> dict[str, Text]:
    """Map invisible characters of the sentence to how the source writes them."""
    if not _SPECIAL.search(skeleton.text):
        return {}
    return {
        piece.text: piece
        for piece in skeleton.flat.slice(skeleton.start, skeleton.end)
        if isinstance(piece, Text) and piece.raw != piece.text and _SPECIAL.fullmatch(piece.text)
    }
