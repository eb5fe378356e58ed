"""Splitting text into sentences, and long sentences into parts, without losing a character."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import regex
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from nmt.languages import languages
from nmt.text.edges import NAME, TOKEN, core_of, has_words, mask
from nmt.text.protected import find_protected

LINE_BREAK = regex.compile(r"(\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])")
"""Every kind of line break in Unicode."""
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
# A full stop, or another end, that is followed by a space if a sentence ends there, since else it
# is part of a name: `foo.Bar`, `Node.js`.
_UNSPACED_END = regex.compile(r"[.!?:;]['\"”’)\]]*\Z")
_CLOSED_QUOTATION = regex.compile(r"[.!?…,]['\"”’»]+\s*\Z")
# What follows a quotation in its own sentence: in Tamil a form of `to say`.
_AFTER_QUOTATION = regex.compile(r"\p{Ll}|என(?:்ற|்று|்ன|்ப|க்|ச்|த்|ப்|வும்|வே|\s|[,.])")
# A line in which no sentence ends but at its own end, as most titles, cells and labels are. Scripts
# without spaces are not among its letters: their sentences may end without a sign.
_ONE_SENTENCE = re.compile(
    "[A-Za-z0-9 ,'’()%&/\u00c0-\u024f\u0370-\u037d\u037f-\u0386\u0388-\u04ff"
    "\u0900-\u0963\u0966-\u0d7f-]*+[.!?]?"
)
_MAX_LABEL = 500
_MASKED_WORD = regex.compile(rf"[{TOKEN}{NAME}]+")
_CLAUSE_END = regex.compile(r"[,;:!?.…،؛、，；：。।]\s+|[、，；：。]|\s[–—-]\s+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text: a sentence without surrounding space, or the text between two."""

    text: str
    is_sentence: bool


def split_text(text: str, language: str) -> list[Segment]:
    """Split a text into sentences and the text between them.

    Every kind of line break ends a sentence. Marks of lists, headings and quotations, emoji and
    addresses around a sentence are not part of it; text without a word is not one.

    Args:
        text: any text.
        language: FLORES-200 code, so that text of another script is not a sentence either, or an
            ISO code of any language.

    Returns:
        Segments whose texts, joined, are the text.
    """
    segments: list[Segment] = []
    for line in LINE_BREAK.split(text):
        masked = mask(line, find_protected(line))
        start = 0
        for end in sentence_ends(masked, language):
            segments += _without_edges(line, masked, start, end, language)
            start = end
    return segments


def sentence_ends(masked: str, language: str) -> list[int]:
    """Find where the sentences of a line end, with the white space after them.

    Args:
        masked: a line as `mask` returns it, so that no sentence ends inside a protected word.
        language: FLORES-200 or ISO code; an unknown one is split by general rules.
    """
    if len(masked) <= _MAX_LABEL and _ONE_SENTENCE.fullmatch(masked):
        return [len(masked)]
    code = languages()[language].iso if "_" in language else language
    # A word of letters, since the splitter would cut after anything else.
    line = _MASKED_WORD.sub(lambda word: "X" + "x" * (len(word[0]) - 1), masked)
    ends: list[int] = []
    for part in _split_line(line, code):
        ends.append(len(part) + (ends[-1] if ends else 0))
    return ends


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


def trim(text: str, language: str) -> list[Segment]:
    """Separate the words of a text, as a single sentence, from what is around them.

    Args:
        text: any text.
        language: as for `split_text`.
    """
    masked = mask(text, find_protected(text))
    return list(_without_edges(text, masked, 0, len(text), language))


def _without_edges(
    line: str, masked: str, start: int, end: int, language: str
) -> Iterator[Segment]:
    first, last = core_of(masked, start, end)
    is_sentence = first < last and has_words(masked[first:last], language)
    if not is_sentence:
        first = last = end
    for text, of_sentence in (
        (line[start:first], False),
        (line[first:last], is_sentence),
        (line[last:end], False),
    ):
        if text:
            yield Segment(text, of_sentence)


def _split_line(line: str, language: str) -> Iterator[str]:
    """Yield the sentences of a line, with the space around them."""
    if not line.strip():
        yield line
        return
    pending = ""
    for part in _split_in_windows(line, language):
        # The splitter cuts after abbreviations: join the part with the next one then.
        if pending and not _is_cut(pending, part):
            pending += part
            continue
        if pending:
            yield pending
        pending = part
    yield pending


def _is_cut(before: str, after: str) -> bool:
    """Tell whether a sentence ends between two parts of the splitter."""
    core = before.rstrip()
    first = max(0, len(core) - _MAX_ABBREVIATION)
    if _NOT_A_SENTENCE_END.search(core, first):
        return False
    if core == before and after[:1].isalnum() and _UNSPACED_END.search(core, first):
        return False
    return not (_CLOSED_QUOTATION.search(core, first) and _AFTER_QUOTATION.match(after))


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
