"""The tokenizer of sacreBLEU that BLEU uses for a language."""

from functools import cache

from sacrebleu.metrics.bleu import BLEU

from nmt.languages import languages

_WITH_DICTIONARY = {"jpn_Jpan": "ja-mecab", "kor_Hang": "ko-mecab"}


@cache
def bleu_tokenizer(language: str) -> str:
    """Choose the tokenizer for a language (FLORES-200 code)."""
    found = languages()[language]
    if found.script in ("Hans", "Hant"):
        return "zh"
    wanted = _WITH_DICTIONARY.get(language)
    if wanted and _is_installed(wanted):
        return wanted
    # Without spaces between words, 13a would take a whole clause for one word.
    # For Tamil, 13a gives the BLEU of `intl` to within .15.
    return "char" if found.is_unsegmented else "13a"


def _is_installed(tokenizer: str) -> bool:
    try:
        BLEU(tokenize=tokenizer)
    except RuntimeError:  # sacreBLEU raises it where its extra `ja` or `ko` is missing
        return False
    return True
