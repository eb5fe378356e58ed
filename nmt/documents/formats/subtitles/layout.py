"""Translations divided among cues, and among the lines of a cue."""

import re
from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]+")
_TAG = re.compile(r"(<[^<>]*>|\{\\[^{}]*\})")
_ENTITY = re.compile(r"&\w{1,8};")
_CLAUSE_END = re.compile(r"[,;:.!?…،؛、，；：。।–—-][\"'”’»)]*$")
_HAS_TOKEN = re.compile(r"\d|://|www\.|@|[{}%$]")
# Signs that do not begin a line in scripts without spaces.
_CLOSING = frozenset("、。，．：；？！）」』】〕〉》”’…ー々ๆฯ")
_MAX_WIDTH, _MAX_IDEOGRAMS = 42, 20


def divide(text: str, sources: Sequence[str], *, is_unsegmented: bool) -> list[str]:
    """Divide a translation among the places of its source, each with its share of the letters.

    No place gets nothing, numbers and addresses come into the place that had them, and otherwise
    cuts are between words, rather behind a clause.

    Args:
        text: the translation.
        sources: what each place had; at least one.
        is_unsegmented: whether words are written without spaces.
    """
    words = _words(text, is_unsegmented=is_unsegmented)
    if len(words) < len(sources):
        # Too few words: each place shows all of them, as one long cue would.
        return [text.strip()] * len(sources)
    ends = _ends(words, sources)
    starts = [0, *ends[:-1]]
    separator = "" if is_unsegmented else " "
    return [
        separator.join(words[start:end]).strip() for start, end in zip(starts, ends, strict=True)
    ]


def _words(text: str, *, is_unsegmented: bool) -> list[str]:
    """Return the words of a text, or its characters if it does not separate words."""
    if not is_unsegmented:
        return [word for word in _SPACE.split(text) if word]
    words: list[str] = []
    for part in re.findall(r"[!-~]+|\s+|.", _SPACE.sub(" ", text.strip())):
        if words and (part in _CLOSING or part.isspace() or not part.isprintable()):
            words[-1] += part
        else:
            words.append(part)
    return words


def _ends(words: Sequence[str], sources: Sequence[str]) -> list[int]:
    """Return the number of the word at which each place ends."""
    sizes = [len(_SPACE.sub("", source)) or 1 for source in sources]
    widths = [len(word) for word in words]
    positions = [0]
    for width in widths:
        positions.append(positions[-1] + width)
    lowest, highest = _bounds(words, sources)
    ends: list[int] = []
    for number in range(len(sources) - 1):
        share = sum(sizes[: number + 1]) / sum(sizes)
        first = max(ends[-1] + 1 if ends else 1, lowest[number])
        last = min(len(words) - (len(sources) - 1 - number), highest[number])
        ends.append(_best_end(words, positions, share, first, max(first, last)))
    return [*ends, len(words)]


def _bounds(words: Sequence[str], sources: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return where each place must end at the earliest and at the latest, because of numbers."""
    count = len(sources)
    lowest = list(range(1, count))
    highest = [len(words) - count + number for number in range(1, count)]
    places = [number for number, source in enumerate(sources) if _HAS_TOKEN.search(source)]
    tokens = [number for number, word in enumerate(words) if _HAS_TOKEN.search(word)]
    if len(places) != 1 or not tokens:
        return lowest, highest
    place = places[0]
    for number in range(count - 1):
        if number < place:
            highest[number] = max(lowest[number], min(highest[number], tokens[0]))
        else:
            lowest[number] = min(highest[number], max(lowest[number], tokens[-1] + 1))
    return lowest, highest


def _best_end(
    words: Sequence[str], positions: Sequence[int], share: float, first: int, last: int
) -> int:
    """Return the word to end at: near the share of the letters, or behind a clause near it."""
    wanted = positions[-1] * share

    def distance(end: int) -> float:
        missed = abs(positions[end] - wanted)
        is_clause = _CLAUSE_END.search(words[end - 1]) is not None
        # A clause may be as far as a word or two; an exact share is always taken.
        return missed if missed < 1 else missed + (0 if is_clause else _CLAUSE_WORTH)

    return min(range(first, last + 1), key=distance)


_CLAUSE_WORTH = 6
"""Letters that a cut may be away from its share to be behind a clause."""


def divide_lines(text: str, source: str, line_end: str, *, is_unsegmented: bool) -> str:
    """Divide a translation into as many lines as its source has."""
    lines = source.splitlines()
    words = _words(text, is_unsegmented=is_unsegmented)
    count = min(len(lines), len(words))
    if count < 2:
        return " ".join(_SPACE.split(text.strip()))
    return line_end.join(divide(text, lines[:count], is_unsegmented=is_unsegmented))


def fit_lines(
    text: str, source: str, line_end: str, *, is_unsegmented: bool, is_alone: bool
) -> str:
    """Divide a text of a cue anew if a line is empty or too long, or if there are too many lines.

    Args:
        text: the translation, with its tags.
        source: what it translates.
        line_end: of the file.
        is_unsegmented: whether words are written without spaces.
        is_alone: whether the cue has no other text, so that there is room for a second line.
    """
    lines, before = text.splitlines(), source.splitlines()
    most = max(len(before), 2 if is_alone else 1)
    limit = max(
        _MAX_IDEOGRAMS if is_unsegmented else _MAX_WIDTH, *(_width(line) for line in before)
    )
    is_fit = all(_TAG.sub("", line).strip() for line in lines)
    if is_fit and len(lines) <= most and all(_width(line) <= limit for line in lines):
        return text
    parts = [part for part in re.split(r"[\r\n]+", text) if part.strip()]
    joined = " ".join(part.strip(" \t") for part in parts)
    count = most if _width(joined) > limit else 1
    return line_end.join(_balanced(joined, count, is_unsegmented=is_unsegmented))


def _balanced(text: str, count: int, *, is_unsegmented: bool) -> list[str]:
    """Divide a text with tags into lines of about the same width."""
    lines: list[str] = []
    rest = text
    for left in range(count, 1, -1):
        cut = _cut_near(rest, _width(rest) / left, is_unsegmented=is_unsegmented)
        if cut is None:
            break
        lines.append(rest[:cut].rstrip(" \t"))
        rest = rest[cut:].lstrip(" \t")
    return [*lines, rest]


def _cut_near(text: str, width: float, *, is_unsegmented: bool) -> int | None:
    """Return the best place to cut near a width; None if there is none."""
    best: tuple[float, int] | None = None
    at = seen = 0
    for part in _TAG.split(text):
        if _TAG.fullmatch(part):
            at += len(part)
            continue
        for offset, character in enumerate(part):
            is_space = character in " \t"
            is_inside = offset > 0 and _is_word(part[offset - 1]) and _is_word(character)
            may_cut = is_space or (is_unsegmented and character not in _CLOSING and not is_inside)
            position = at + offset
            if may_cut and text[:position].strip() and text[position:].strip():
                is_clause = _CLAUSE_END.search(text[:position].rstrip()[-3:]) is not None
                missed = abs(seen + offset - width) - (_CLAUSE_WORTH if is_clause else 0)
                if best is None or missed < best[0]:
                    best = missed, position
        at += len(part)
        seen += len(part)
    return best[1] if best else None


def _is_word(character: str) -> bool:
    """Tell whether a character is of a word or an address in Latin letters."""
    return "!" <= character <= "~"


def _width(text: str) -> int:
    """Return the number of characters that a line shows."""
    return len(_ENTITY.sub("x", _TAG.sub("", text)))
