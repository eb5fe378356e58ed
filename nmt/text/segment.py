"""Splitting text into sentences, and long sentences into parts, without losing a character."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import regex
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

_NEWLINES = regex.compile(r"(\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])")
# Text after which the splitter cuts although no sentence ends: a list number, initials ("A.", and
# Tamil ones of up to two characters), dotted abbreviations, Tamil titles and units.
_NOT_A_SENTENCE_END = regex.compile(
    r"""^\s*\(?\p{N}{1,3}[.)]\s*$
    | (?:^|[\s(\[]) (?: (?:\p{L}\p{M}*\.)+ | (?:அக்|திரு|திருமதி|செல்வி|டாக்|ரூ|எண்|பக்)\. ) \s*$
    """,
    regex.VERBOSE,
)
_MAX_ABBREVIATION = 50
"""Characters before a cut that are searched for such a text."""
# The splitter's time grows with the square of the length, so a long line is split in windows. The
# cuts near the end of a window depend on the text after it, so that part is split again.
_WINDOW, _WINDOW_OVERLAP = 2000, 500
# Addresses of pages and of mail. Scripts without spaces are not part of one: the address would
# take in the sentence after it.
_ADDRESS = regex.compile(
    r"""(?:[a-z][a-z0-9+.-]*:// | www\. | mailto:)
        [^\p{Han}\p{Hiragana}\p{Katakana}\p{Khmer}\p{Lao}\p{Myanmar}\p{Thai}\p{Tibetan}]+
    | [^@]+ @ [\w-]+ (?:\.[\w-]+)+
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_AROUND_ADDRESS = "()[]{}<>\"'“”‘’«».,;:!?"
_CLAUSE_END = regex.compile(r"[,;:!?.…،؛、，；：。।]\s+|[、，；：。]|\s[–—-]\s+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text: a sentence without surrounding space, or the text between two."""

    text: str
    is_sentence: bool


def split_text(text: str, language: str) -> list[Segment]:
    """Split a text into sentences and the text between them.

    Every kind of line break ends a sentence. Text without a letter, and addresses of pages and of
    mail that stand alone, are not sentences.

    Args:
        text: any text.
        language: ISO code of its language; an unknown one is split by general rules.

    Returns:
        Segments whose texts, joined, are the text.
    """
    segments: list[Segment] = []
    for line in _NEWLINES.split(text):
        for part in _split_line(line, language):
            segments += trim(part)
    return segments


def split_long(sentence: str, token_ends: Sequence[int], limit: int) -> list[str]:
    """Cut a sentence into parts of at most `limit` tokens.

    Each cut is as late as possible, after a clause, else after a space, else inside a word.

    Args:
        sentence: any text.
        token_ends: end position of each token in the sentence, ascending.
        limit: tokens in one part. A part that is tokenized again may have a few more.

    Returns:
        Parts that, joined, are the sentence.
    """
    parts: list[str] = []
    start = first = 0
    while len(token_ends) - first > limit:
        end = _find_cut(sentence, start, max(token_ends[first + limit - 1], start + 1))
        parts.append(sentence[start:end])
        start = end
        while first < len(token_ends) and token_ends[first] <= start:
            first += 1
    return [*parts, sentence[start:]] if start < len(sentence) else parts


def split_to_fit(
    sentence: str, token_ends: Callable[[str], Sequence[int]], limit: int
) -> list[str]:
    """Split a sentence into parts within the model's limit; return it alone if it fits.

    Args:
        sentence: any text.
        token_ends: returns the end position of each token of a text.
        limit: tokens in one part. A single character may exceed it.
    """
    ends = token_ends(sentence)
    if len(ends) <= limit or len(sentence) < 2:
        return [sentence]
    # A part may have more tokens alone than inside the sentence, so parts are split again.
    parts = split_long(sentence, ends, limit)
    if len(parts) == 1:
        middle = len(sentence) // 2
        parts = [sentence[:middle], sentence[middle:]]
    fitting = (split_to_fit(part.strip(), token_ends, limit) for part in parts if part.strip())
    return [part for some in fitting for part in some]


def trim(part: str) -> list[Segment]:
    """Separate a sentence from the space around it."""
    core = part.strip()
    if not _needs_translation(core):
        return [Segment(part, is_sentence=False)] if part else []
    start = part.index(core)
    before, after = part[:start], part[start + len(core) :]
    segments = (Segment(before, False), Segment(core, True), Segment(after, False))
    return [each for each in segments if each.text]


def _needs_translation(text: str) -> bool:
    """Tell whether a text has a word that is not an address."""
    # A model that is asked to translate a row of dashes, a number or an address makes something
    # up. Word by word, since mostly the first one decides.
    return any(
        any(character.isalpha() for character in word)
        and not _ADDRESS.fullmatch(word.strip(_AROUND_ADDRESS))
        for word in text.split()
    )


def _split_line(line: str, language: str) -> Iterator[str]:
    """Yield the sentences of a line, with the space around them."""
    if not line.strip():
        yield line
        return
    pending = ""
    for part in _split_in_windows(line, language):
        # The splitter cuts after abbreviations: join the part with the next one then.
        pending += part
        core = pending.strip()
        if not _NOT_A_SENTENCE_END.search(core, max(0, len(core) - _MAX_ABBREVIATION)):
            yield pending
            pending = ""
    yield pending


def _split_in_windows(line: str, language: str) -> Iterator[str]:
    """Yield the parts that the splitter finds in a line; joined, they are the line."""
    start, reliable = 0, _WINDOW - _WINDOW_OVERLAP
    while len(line) - start > _WINDOW:
        window = line[start : start + _WINDOW]
        if window.count('"') % 2:
            # The splitter would pair an unclosed quotation mark with the next opening one.
            window = window[: max(reliable, window.rindex('"'))]
        parts, end = segment(language, window), len(window)
        while len(parts) > 1 and end > reliable:
            end -= len(parts.pop())
        if end > reliable:  # one sentence fills the whole window
            end = _find_cut(window, 0, reliable)
            parts = [window[:end]]
        yield from parts
        start += end
    yield from segment(language, line[start:])


def _find_cut(sentence: str, start: int, end: int) -> int:
    """Find the last good position to cut in `start < position <= end`."""
    # A part up to a clause in the first half would be too short to translate well.
    middle = (start + end) // 2
    ends = [match.end() for match in _CLAUSE_END.finditer(sentence, middle, end + 1)]
    clauses = [position for position in ends if start < position <= end]
    if clauses:
        return clauses[-1]
    for position in range(end, start, -1):
        if sentence[position - 1].isspace():
            return position
    # A vowel sign or virama must stay with the letter before it.
    for position in range(end, middle, -1):
        following = sentence[position : position + 1]
        if following and not unicodedata.category(following).startswith("M"):
            return position
    return end
