"""Faults of translations that can be counted without a person's judgement.

Each flag is a key of `nmt.runs.evaluation.FLAGS`. References serve to avoid false alarms: what a
reference does too is not a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import regex
from numpy.typing import NDArray

from nmt.data.cleaning.characters.code_points import Bits, Kind, kinds
from nmt.data.cleaning.characters.text_block import Side
from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import FLAGS
from nmt.scoring.faults.copies import CopyCheck
from nmt.scoring.faults.expected import Expected, find_expected
from nmt.scoring.faults.languages import find_off_target, has_foreign_script
from nmt.scoring.faults.lengths import LengthCheck
from nmt.scoring.faults.repetition import repeats_itself
from nmt.text.normalise import normalise

Mask = NDArray[np.bool_]
# A row of dashes is not a translation of anything, but an emoji is one.
_CONTENT = regex.compile(r"[\p{L}\p{N}\p{S}]")


@dataclass(frozen=True, slots=True)
class Flags:
    """The faults of a system's translations of a test set."""

    by_sentence: list[tuple[str, ...]]
    """Flags of each sentence, in the order of `FLAGS`."""
    counts: dict[str, tuple[int, int]]
    """For each flag, the translations that have it, and how many could have it."""


def find_flags(test_set: TestSet, hypotheses: Sequence[str]) -> Flags:
    """Find the faults of a system's translations.

    Args:
        test_set: with sources and references as they are; differences of Unicode's forms and of
            spaces are not faults.
        hypotheses: one for each sentence of the set.
    """
    expectations = _expectations(test_set)
    texts = [normalise(text) for text in hypotheses]
    found = expectations.find_faults(texts)
    judged = expectations.judged
    rows = [
        tuple(flag for flag in FLAGS if found[flag][row] and judged[flag][row])
        for row in range(len(test_set))
    ]
    counts = {
        flag: (sum(flag in flags for flags in rows), int(judged[flag].sum())) for flag in FLAGS
    }
    return Flags(rows, counts)


# All systems of a set are judged one after the other.
@lru_cache(maxsize=1)
def _expectations(test_set: TestSet) -> "_Expectations":
    return _Expectations(test_set)


class _Expectations:
    """What is expected of a translation of each sentence of a test set."""

    def __init__(self, test_set: TestSet) -> None:
        self._languages = test_set.source_language, test_set.target_language
        self._kinds: Bits = kinds(*self._languages)
        self._sources = [normalise(text) for text in test_set.sources]
        streams = [[normalise(text) for text in stream] for stream in test_set.references]
        # A blank reference is a missing one, and says nothing about a translation.
        self._references = [tuple(filter(None, texts)) for texts in zip(*streams, strict=True)]
        self._copies = CopyCheck(*self._languages)
        self._lengths = LengthCheck(self._side(self._sources), [*map(self._side, streams)])
        pairs = list(zip(self._sources, self._references, strict=True))
        self._copy_limits = [self._copies.limits(*pair) for pair in pairs]
        self._expected: list[Expected] = [find_expected(*pair) for pair in pairs]
        self.judged = self._find_judged(streams)

    def _side(self, texts: Sequence[str]) -> Side:
        return Side(texts, self._kinds)

    def _find_judged(self, streams: Sequence[Sequence[str]]) -> dict[str, Mask]:
        """Find the sentences whose translations could have each flag."""
        content = np.array([bool(_CONTENT.search(text)) for text in self._sources], bool)
        judged = dict.fromkeys(FLAGS, content)
        may_be_copied = np.array([limits[0] <= 1 for limits in self._copy_limits], bool)
        letters = self._side(self._sources).count_kind(Kind.LETTER) > 0
        judged["copied"] = content & letters & may_be_copied
        # A quotation or a list of names may be in another language on purpose.
        elsewhere = [find_off_target(texts, self._languages[1], self._kinds) for texts in streams]
        judged["off_target"] = content & letters & ~np.logical_or.reduce(elsewhere)
        for flag in ("numbers", "urls", "names", "placeholders"):
            judged[flag] = np.array([flag in each.flags for each in self._expected], bool)
        return judged

    def find_faults(self, hypotheses: Sequence[str]) -> dict[str, Mask]:
        """Find the translations with each flag, whether or not the sentence is judged by it."""
        found = {flag: np.zeros(len(hypotheses), bool) for flag in FLAGS}
        found["truncated"] = self._lengths.find_truncated(self._side(hypotheses))
        found["off_target"] = find_off_target(hypotheses, self._languages[1], self._kinds)
        sentences = zip(self._sources, self._references, hypotheses, strict=True)
        for row, (source, references, hypothesis) in enumerate(sentences):
            for flag in self._expected[row].find_missing(hypothesis):
                found[flag][row] = True
            if not _CONTENT.search(hypothesis):
                found["empty"][row] = True
                found["truncated"][row] = False
                continue
            limits = self._copy_limits[row]
            found["copied"][row] = self._copies.is_copy(source, hypothesis, limits)
            found["repeated"][row] = repeats_itself(hypothesis, source, references)
            found["foreign_script"][row] = has_foreign_script(
                hypothesis, source, references, self._languages
            )
        return found
