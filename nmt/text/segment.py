"""Text into sentences and back, without losing a character."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from nmt.languages import languages

_NEWLINES = regex.compile(r"(\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])")
# Where the splitter cuts and no sentence ends: behind a list number that stands alone, initials
# ("A.", and Tamil ones, which may be two characters), dotted short forms, Tamil titles and units.
_NO_END = regex.compile(
    r"""^\s*\(?\p{N}{1,3}[.)]\s*$
    | (?:^|[\s(\[]) (?: (?:\p{L}\p{M}*\.)+ | (?:அக்|திரு|திருமதி|செல்வி|டாக்|ரூ|எண்|பக்)\. ) \s*$
    """,
    regex.VERBOSE,
)
_NO_END_CHARACTERS = 50
"""How far back a short form that ends no sentence is looked for."""
# The splitter's time grows with the square of what it is given, so that a long line is given to it
# in windows. What it says of a window's end may change with what follows: that part is given again.
_WINDOW, _WINDOW_END = 2000, 500
_CLAUSE_END = regex.compile(r"[,;:!?.…،؛、，；：。।]\s+|[、，；：。]|\s[–—-]\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: a sentence without space around it, or what stands between two."""

    text: str
    is_sentence: bool


def split_text(text: str, language: str) -> list[Piece]:
    """Sentences and the space between them; joined, their texts are the text again.

    A line break, of whatever kind, always ends a sentence. What holds no letter or digit is not a
    sentence: a model asked to translate a row of dashes invents something.

    Args:
        text: any text.
        language: ISO code of its language; an unknown one is split by general rules.
    """
    pieces: list[Piece] = []
    for line in _NEWLINES.split(text):
        for part in _sentences(line, language):
            pieces += _trimmed(part)
    return pieces


def join_text(pieces: Iterable[Piece], translations: Iterable[str], language: str) -> str:
    """Text whose sentences are replaced by their translations, in order.

    What stands between them stays, but where one language puts a space and the other none.

    Args:
        pieces: of the source.
        translations: of its sentences.
        language: FLORES-200 code of the translations.
    """
    translated, gap = iter(translations), sentence_separator(language)
    joined: list[str] = []
    after_sentence = False
    for piece in pieces:
        if piece.is_sentence:
            joined += [gap] * after_sentence + [next(translated)]
        elif gap or piece.text.strip(" ") or not joined:
            joined.append(piece.text)
        after_sentence = piece.is_sentence
    return "".join(joined)


def sentence_separator(language: str) -> str:
    """What stands between two sentences, or two parts of one, in a language."""
    return "" if languages()[language].is_ideographic else " "


def split_long(sentence: str, token_ends: Sequence[int], limit: int) -> list[str]:
    """Cut a sentence into parts of at most `limit` tokens; joined, they are the sentence again.

    Each cut is after a clause, else after a space, else inside a word, and as late as possible.

    Args:
        sentence: any text.
        token_ends: for each of its tokens, the position behind the last character, ascending.
        limit: tokens in one part. A part tokenized by itself may have a few more.
    """
    parts: list[str] = []
    start = first = 0
    while len(token_ends) - first > limit:
        end = _cut(sentence, start, max(token_ends[first + limit - 1], start + 1))
        parts.append(sentence[start:end])
        start = end
        while first < len(token_ends) and token_ends[first] <= start:
            first += 1
    return [*parts, sentence[start:]] if start < len(sentence) else parts


def split_to_fit(
    sentence: str, token_ends: Callable[[str], Sequence[int]], limit: int
) -> list[str]:
    """Parts of a sentence that a model takes whole; the sentence alone if it fits.

    Args:
        sentence: any text.
        token_ends: for each token of a text, the position behind its last character.
        limit: tokens in one part. A single character is a part whatever its tokens.
    """
    ends = token_ends(sentence)
    if len(ends) <= limit or len(sentence) < 2:
        return [sentence]
    # A part may have more tokens by itself than inside the sentence: cut again, smaller.
    parts = split_long(sentence, ends, limit)
    if len(parts) == 1:
        middle = len(sentence) // 2
        parts = [sentence[:middle], sentence[middle:]]
    fitting = (split_to_fit(part.strip(), token_ends, limit) for part in parts if part.strip())
    return [part for some in fitting for part in some]


def _sentences(line: str, language: str) -> Iterator[str]:
    if not line.strip():
        yield line
        return
    pending = ""
    for part in _segments(line, language):
        pending += part
        core = pending.strip()
        if not _NO_END.search(core, max(0, len(core) - _NO_END_CHARACTERS)):
            yield pending
            pending = ""
    yield pending


def _segments(line: str, language: str) -> Iterator[str]:
    """Parts that the splitter finds; joined, they are the line again."""
    start, sure = 0, _WINDOW - _WINDOW_END
    while len(line) - start > _WINDOW:
        window = line[start : start + _WINDOW]
        if window.count('"') % 2:  # a quotation that does not end here would open all others
            window = window[: max(sure, window.rindex('"'))]
        parts, end = segment(language, window), len(window)
        while len(parts) > 1 and end > sure:
            end -= len(parts.pop())
        if end > sure:  # no sentence ends in all of it
            end = _cut(window, 0, sure)
            parts = [window[:end]]
        yield from parts
        start += end
    yield from segment(language, line[start:])


def _trimmed(part: str) -> list[Piece]:
    core = part.strip()
    if not any(character.isalnum() for character in core):
        return [Piece(part, is_sentence=False)] if part else []
    start = part.index(core)
    around = (part[:start], part[start + len(core) :])
    pieces = (Piece(around[0], False), Piece(core, True), Piece(around[1], False))
    return [piece for piece in pieces if piece.text]


def _cut(sentence: str, start: int, end: int) -> int:
    """Last good place to cut in `start < place <= end`."""
    middle = (start + end) // 2
    ends = [match.end() for match in _CLAUSE_END.finditer(sentence, middle, end + 1)]
    clauses = [place for place in ends if start < place <= end]
    if clauses:
        return clauses[-1]
    for place in range(end, start, -1):
        if sentence[place - 1].isspace():
            return place
    # A vowel sign or virama must stay with the letter before it.
    for place in range(end, middle, -1):
        if place < len(sentence) and not unicodedata.category(sentence[place]).startswith("M"):
            return place
    return end
