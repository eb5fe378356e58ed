"""Settings of the rules that a pair must pass."""

from typing import Literal

from pydantic import Field

from nmt.config.section import PositiveInt, Section

Mismatch = Literal["ignore", "flag", "drop"]


class CleaningConfig(Section):
    """Filters that every pair must pass; each counts the pairs it drops."""

    max_words: PositiveInt = 200
    """Maximum number of words on either side of a pair."""
    min_characters: PositiveInt = 3
    """Minimum number of characters on either side; a Chinese or Japanese one counts as three, a
    Korean one as two."""
    min_script_share: float = Field(default=0.5, ge=0, le=1)
    """Minimum share of a side's letters that are in the script of its language."""
    max_ratio_deviation: float | None = Field(default=3.0, gt=0)
    """Maximum distance of a pair's length ratio from the corpus's median, in robust standard
    deviations of its logarithm; null keeps every ratio."""
    min_language_confidence: float | None = Field(default=0.7, gt=0, le=1)
    """Confidence from which a side that is found to be in other languages is dropped; null
    identifies no languages."""
    max_word_repetitions: PositiveInt | None = 3
    """Maximum number of times a word may follow itself; null allows any number."""
    max_word_characters: PositiveInt | None = 60
    """Maximum length of a word, in languages that have spaces; null allows any length."""
    drop_mojibake: bool = True
    """Whether to drop text that was decoded with the wrong encoding."""
    drop_markup: bool = True
    """Whether to drop text with markup that could not be removed."""
    drop_untranslated: bool = True
    """Whether to drop targets that have a long passage of the source in them."""
    drop_unequal_sentences: bool = True
    """Whether to drop pairs whose sides differ in both number of sentences and length."""
    drop_truncated: bool = True
    """Whether to drop pairs of which one side is short and lacks the other's full stop."""
    numbers: Mismatch = "flag"
    """What to do with pairs whose sides have different numbers."""
    urls: Mismatch = "flag"
    """What to do with pairs whose sides have different web addresses."""
    max_targets_per_source: PositiveInt | None = 3
    """Maximum number of different targets of one source; null allows any number."""
    max_similarity: float = Field(default=0.8, gt=0, le=1)
    """Similarity (Jaccard index of 5-grams of characters, digits folded) from which a pair is a
    near-duplicate of an earlier one and is dropped; 1 drops only equal pairs."""
