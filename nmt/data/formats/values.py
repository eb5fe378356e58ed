"""Tells sentences from identifiers, numbers and labels in columns found by their names."""

from collections.abc import Iterable, Iterator, Sequence

import regex

from nmt.data.formats.columns import Columns
from nmt.data.formats.corpus import Corpus, RawPair
from nmt.errors import DataError

SAMPLE_PAIRS = 100
"""Pairs that are looked at."""
_LEAST_VALUES = 3
_LEAST_SHARE = 0.9
"""Share of a column's values that has to be suspicious."""
_LEAST_SHARE_OF_WORDS = 0.65
"""The same, where no value has a second word."""
_LEAST_LETTERS = 0.6
"""Share of letters in the characters of a value that may be a sentence."""
_WORDS_OF_SENTENCE = 4
"""Words of the other side, on average, beside which one word cannot be the translation."""
_LABEL_PAIRS = 20
_LABELS_PER_SENTENCE = 0.2
"""Different values of a column of labels for each different value of the other side."""

_NO_LETTER = regex.compile(r"[^\p{L}\p{M}]+")
_CODE = regex.compile(r"[!-~]*(?:[0-9_/@=#\\]|[:.](?=[0-9A-Za-z])|[a-z](?=[A-Z]))[!-~]*")


def check_values(rows: Iterable[tuple[Columns, RawPair]], corpus: Corpus) -> Iterator[RawPair]:
    """Pass pairs on, and refuse a column without sentences that no setting names.

    Raises:
        DataError: identifiers, numbers, times or labels stand where sentences should.
    """
    wanted = min(SAMPLE_PAIRS, corpus.max_pairs or SAMPLE_PAIRS)
    sample: list[tuple[Columns, RawPair]] = []
    for columns, pair in rows:
        if len(sample) < wanted:
            sample.append((columns, pair))
            if len(sample) == wanted:
                _judge(sample, corpus)
        yield pair
    if 0 < len(sample) < wanted:
        _judge(sample, corpus)


def _judge(sample: Sequence[tuple[Columns, RawPair]], corpus: Corpus) -> None:
    columns = sample[-1][0]
    pairs = [pair for found, pair in sample if found == columns]
    sources, targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if corpus.source_column is None:
        _require_sentences(columns.source, sources, targets, "source", corpus)
    if corpus.target_column is None:
        _require_sentences(columns.target, targets, sources, "target", corpus)


def _require_sentences(
    column: str, values: Sequence[str], others: Sequence[str], side: str, corpus: Corpus
) -> None:
    filled = [value for value in values if value.strip()]
    if len(filled) < _LEAST_VALUES:
        return
    if sum(map(_is_code, filled)) >= _LEAST_SHARE * len(filled):
        kind = "identifiers, numbers or times"
    elif _are_single_words(filled, others):
        kind = "single words"
    elif _are_labels(values, others):
        kind = "a few labels"
    else:
        return
    language = corpus.source_language if side == "source" else corpus.target_language
    shown = ", ".join(f"{value[:40]!r}" for value in dict.fromkeys(filled[:3]))
    raise DataError(
        f"{corpus.path}: column {column!r} was found by its name for the {side} ({language}), and "
        f"holds {kind} rather than sentences ({shown}): set data.{side}_column to the column of "
        f"the sentences, or to {column!r} when it is the right one"
    )


def _is_code(value: str) -> bool:
    """Whether a value is an identifier, a number, a time, an address or a hash."""
    packed = "".join(value.split())
    letters = len(_NO_LETTER.sub("", packed))
    if letters < _LEAST_LETTERS * len(packed) and packed.isascii():
        return True
    return _CODE.fullmatch(value.strip()) is not None


def _are_single_words(values: Sequence[str], others: Sequence[str]) -> bool:
    """Whether each value is one word, and most are codes or the other side has several words.

    A value with letters beyond ASCII may be of a script without spaces between words.
    """
    words = sum(value.isascii() and len(value.split()) == 1 for value in values)
    if words < _LEAST_SHARE * len(values):
        return False
    other_words = sum(len(other.split()) for other in others) / len(others)
    codes = sum(map(_is_code, values)) / len(values)
    return other_words >= _WORDS_OF_SENTENCE or codes >= _LEAST_SHARE_OF_WORDS


def _are_labels(values: Sequence[str], others: Sequence[str]) -> bool:
    """Whether few values stand beside many different ones of the other side."""
    different = len(set(others))
    return different >= _LABEL_PAIRS and len(set(values)) <= _LABELS_PER_SENTENCE * different
