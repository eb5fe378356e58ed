"""The tokenizer of sacreBLEU that BLEU uses for a language."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sacrebleu.metrics.bleu import BLEU

from nmt.languages import languages

DEFAULT_TOKENIZER = "13a"
"""The one that sacreBLEU takes for a language without a tokenizer of its own."""
_WITH_DICTIONARY = {"jpn_Jpan": "ja-mecab", "kor_Hang": "ko-mecab"}


@dataclass(frozen=True, slots=True)
class BleuTokenizer:
    """A tokenizer of sacreBLEU."""

    signature: str
    """Its name, with the version of a dictionary."""
    tokenize: Callable[[str], str]

    def split(self, line: str) -> list[str]:
        """Split a line into tokens."""
        return self.tokenize(line.rstrip()).split()


@cache
def bleu_tokenizer(language: str) -> BleuTokenizer:
    """Choose the tokenizer for a language (FLORES-200 code)."""
    found = languages()[language]
    if found.script in ("Hans", "Hant"):
        return load_tokenizer("zh")
    if language in _WITH_DICTIONARY:
        try:
            return load_tokenizer(_WITH_DICTIONARY[language])
        except RuntimeError:
            # sacreBLEU's extra `ja` or `ko` is not installed; the signature shows what is used.
            pass
    # Without spaces between words, 13a would take a whole clause for one word.
    # For Tamil, 13a gives the BLEU of `intl` to within .15.
    return load_tokenizer("char" if found.is_unsegmented else DEFAULT_TOKENIZER)


def load_tokenizer(name: str) -> BleuTokenizer:
    """Load a tokenizer by sacreBLEU's name.

    Raises:
        RuntimeError: a package that it needs is not installed.
    """
    metric = BLEU(tokenize=name)
    return BleuTokenizer(metric.tokenizer_signature, metric.tokenizer)
