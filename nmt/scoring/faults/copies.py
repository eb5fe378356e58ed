"""Translations that are the source, or have a passage of it."""

from collections.abc import Sequence

from nmt.data.cleaning.detection.language import are_related
from nmt.data.cleaning.detection.untranslated import copied_share
from nmt.languages import script_of
from nmt.text.words import WORD

_NGRAM = 4
"""Characters of the pieces by which a translation is compared with its source."""
_MAX_OVERLAP, _MAX_OVERLAP_OF_RELATED = 0.7, 0.9
_MARGIN = 0.15
"""How much more of a copy than of any reference has to be in the source."""
# A text without this share of common pieces has no copied passage of the size below.
_MIN_OVERLAP = 0.2
_MAX_PASSAGE = 0.3
_MIN_CHARACTERS = 15
"""Letters and digits of a copy in the script of its source; names and terms are shorter."""


class CopyCheck:
    """The check of the translations between two languages for copies."""

    def __init__(self, source_language: str, target_language: str) -> None:
        """Choose the limits.

        Args:
            source_language: FLORES-200 code.
            target_language: FLORES-200 code.
        """
        self._related = are_related(source_language, target_language)
        self._limit = _MAX_OVERLAP_OF_RELATED if self._related else _MAX_OVERLAP
        same_script = script_of(source_language) == script_of(target_language)
        self._min_characters = _MIN_CHARACTERS if same_script else 1

    def limits(self, source: str, references: Sequence[str]) -> tuple[float, float]:
        """Compute how much of a sentence's translation may be copied, in all and in one passage.

        Returns:
            Shares; above 1 where the references themselves are nearly the source.
        """
        pieces = _pieces(source)
        overlap = max((_share_in(pieces, text) for text in references), default=0.0)
        passage = 0.0
        if overlap >= _MIN_OVERLAP:
            passage = max(copied_share(source, text) for text in references)
        return max(self._limit, overlap + _MARGIN), max(_MAX_PASSAGE, passage + _MARGIN)

    def is_copy(self, source: str, hypothesis: str, limits: tuple[float, float]) -> bool:
        """Tell whether a translation is a copy of its source, or a large part of it is."""
        if len("".join(WORD.findall(hypothesis))) < self._min_characters:
            return False
        overlap = _share_in(_pieces(source), hypothesis)
        if overlap < _MIN_OVERLAP or self._related:
            return overlap >= limits[0]
        return overlap >= limits[0] or copied_share(source, hypothesis) > limits[1]


def _share_in(pieces: set[str], text: str) -> float:
    own = _pieces(text)
    return len(own & pieces) / len(own) if own else 0.0


def _pieces(text: str) -> set[str]:
    # Without punctuation, which is the same in most languages.
    joined = "".join(WORD.findall(text.casefold()))
    if len(joined) <= _NGRAM:
        return {joined} if joined else set()
    return {joined[start : start + _NGRAM] for start in range(len(joined) - _NGRAM + 1)}
