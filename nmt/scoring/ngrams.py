"""Words and pairs of words that a system has right more, or less, often than a baseline."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import regex

from nmt.languages import languages
from nmt.runs.evaluation import NgramChange
from nmt.text.words import WORD

Matches = Mapping[str, int]
"""N-gram -> how often it is in a translation and in its reference."""

MAX_ROWS = 20
"""N-grams of each direction that are worth a reader's time."""
MIN_CHANGE = 2
"""A change of a single match says nothing of a system."""

# Without spaces between words, a word by the pattern of words would be a whole clause.
_CHARACTER = regex.compile(r"(?=[\p{L}\p{N}])\X")


def count_matches(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
) -> Counter[str]:
    """Count the words and pairs of words of translations that are in the references.

    As in BLEU, an n-gram of a sentence counts at most as often as one of its references has it.

    Args:
        hypotheses: one for each sentence.
        references: for each reference, a text of every sentence.
        language: FLORES-200 code of both. Where words are joined, characters take their place.
    """
    joined = languages()[language].is_unsegmented
    pattern, separator = (_CHARACTER, "") if joined else (WORD, " ")
    matches: Counter[str] = Counter()
    for hypothesis, *of_sentence in zip(hypotheses, *references, strict=True):
        allowed: Counter[str] = Counter()
        for reference in of_sentence:
            # The union of counters takes the larger count of each n-gram.
            allowed |= Counter(_ngrams(pattern.findall(reference), separator))
        matches.update(Counter(_ngrams(pattern.findall(hypothesis), separator)) & allowed)
    return matches


def compare_matches(
    test_set: str, baseline: str, system: str, matches: Mapping[str, Matches]
) -> Iterator[NgramChange]:
    """Find the n-grams that a system has right most more, and most less, often than a baseline.

    Args:
        test_set: name of the test set.
        baseline: name of the system that is compared with.
        system: name of the other system.
        matches: system -> its matches.

    Returns:
        At most 20 gains, then at most 20 losses, the largest change first.
    """
    ours, theirs = matches[system], matches[baseline]
    changes = {ngram: ours.get(ngram, 0) - theirs.get(ngram, 0) for ngram in {*ours, *theirs}}
    # Words before pairs of equal change, and then by spelling, so that the choice is repeatable.
    order = sorted(changes, key=lambda ngram: (-abs(changes[ngram]), len(ngram), ngram))
    for sign in (1, -1):
        chosen = [ngram for ngram in order if sign * changes[ngram] >= MIN_CHANGE][:MAX_ROWS]
        for ngram in chosen:
            yield NgramChange(
                test_set=test_set,
                baseline=baseline,
                system=system,
                ngram=ngram,
                gained=changes[ngram],
            )


def _ngrams(tokens: Sequence[str], separator: str) -> Iterator[str]:
    yield from tokens
    for first, second in pairwise(tokens):
        yield f"{first}{separator}{second}"
