"""Checks that columns which were found by their names hold sentences.

A column `id` may hold Indonesian sentences or identifiers.
"""

from collections.abc import Iterable, Iterator, Sequence

import regex

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import BadRow, RawPair, Row
from nmt.data.formats.tables.columns import Columns
from nmt.errors import DataError

SAMPLE_PAIRS = 100
"""Number of pairs to check."""
_MIN_VALUES = 3
_MIN_SHARE = 0.9
"""Minimum share of suspicious values in a column that is refused."""
_MIN_SHARE_OF_WORDS = 0.65
"""The same for a column in which no value has two words."""
_MIN_LETTERS = 0.6
"""Minimum share of letters in a value that may be a sentence."""
_MIN_SENTENCE_WORDS = 4
"""Average number of words on the other side from which a single word is not a translation."""
_MIN_LABEL_PAIRS = 20
_MAX_LABELS_PER_SENTENCE = 0.2
"""Maximum number of different labels for each different value of the other side."""

_NO_LETTER = regex.compile(r"[^\p{L}\p{M}]+")
_CODE = regex.compile(r"[!-~]*(?:[0-9_/@=#\\]|[:.](?=[0-9A-Za-z])|[a-z](?=[A-Z]))[!-~]*")


def check_values(rows: Iterable[tuple[Columns, RawPair] | BadRow], corpus: Corpus) -> Iterator[Row]:
    """Pass rows on, and refuse columns without sentences, unless a setting names them.

    Raises:
        DataError: a column holds identifiers, numbers, times or labels.
    """
    wanted = min(SAMPLE_PAIRS, corpus.max_pairs or SAMPLE_PAIRS)
    sample: list[tuple[Columns, RawPair]] = []
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        columns, pair = row
        if len(sample) < wanted:
            sample.append((columns, pair))
            if len(sample) == wanted:
                _check_sample(sample, corpus)
        yield pair
    if 0 < len(sample) < wanted:
        _check_sample(sample, corpus)


def _check_sample(sample: Sequence[tuple[Columns, RawPair]], corpus: Corpus) -> None:
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
    if len(filled) < _MIN_VALUES:
        return
    if sum(map(_is_code, filled)) >= _MIN_SHARE * len(filled):
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
        f"{corpus.path}: column {column!r} was found by its name for the {side} ({language}), but "
        f"holds {kind} rather than sentences ({shown}): set "
        f"{corpus.column_setting(side)} to the column of the sentences, or to {column!r} if it is "
        "the right one"
    )


def _is_code(value: str) -> bool:
    """Tell whether a value is an identifier, a number, a time, an address or a hash."""
    packed = "".join(value.split())
    letters = len(_NO_LETTER.sub("", packed))
    if letters < _MIN_LETTERS * len(packed) and packed.isascii():
        return True
    return _CODE.fullmatch(value.strip()) is not None


def _are_single_words(values: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether values are single words, and either codes or too short for the other side."""
    # A value beyond ASCII may be a sentence in a script without spaces between words.
    words = sum(value.isascii() and len(value.split()) == 1 for value in values)
    if words < _MIN_SHARE * len(values):
        return False
    other_words = sum(len(other.split()) for other in others) / len(others)
    codes = sum(map(_is_code, values)) / len(values)
    return other_words >= _MIN_SENTENCE_WORDS or codes >= _MIN_SHARE_OF_WORDS


def _are_labels(values: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether a few values repeat while the other side has many different ones."""
    different = len(set(others))
    return (
        different >= _MIN_LABEL_PAIRS and len(set(values)) <= _MAX_LABELS_PER_SENTENCE * different
    )
