"""Corpus scores by sacreBLEU, each with the signature that makes it comparable.

Both sides are brought to NFC first: the same Tamil text in decomposed form would lose about 18
BLEU. A score says nothing beside one with another signature.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nmt.errors import DataError
from nmt.languages import languages


@dataclass(frozen=True, slots=True)
class Score:
    """One figure for a whole corpus."""

    name: str
    """`bleu`, `chrf++` or `ter`."""
    value: float
    """BLEU and chrF++: 0-100, higher is better. TER: lower is better, may exceed 100."""
    signature: str
    """sacreBLEU's settings and version, `nrefs:1|case:mixed|...`."""


def bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> Score:
    """BLEU on 13a tokens, which split Tamil as well as `intl` does (within .15 BLEU).

    Where no space stands between words, 13a would take a clause for one of them: Chinese is split
    by sacreBLEU's own rules, other such scripts by characters.

    Args:
        hypotheses: one for each reference.
        references: in their order.
        language: FLORES-200 code of both.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Papineni et al. 2002, https://aclanthology.org/P02-1040
    """
    return _score("bleu", build_bleu(language), hypotheses, references)


def chrf_plus_plus(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """F-score of character 1-6-grams and word 1-2-grams.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Popović 2017, https://aclanthology.org/W17-4770
    """
    return _score("chrf++", CHRF(word_order=2), hypotheses, references)


def ter(hypotheses: Sequence[str], references: Sequence[str], language: str) -> Score:
    """Edits per reference word; without `normalized`, a glued full stop makes a wrong word.

    Where no space stands between words, an ideogram is one.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25
    """
    ideographic = languages()[language].is_ideographic
    metric = TER(normalized=True, asian_support=ideographic)
    return _score("ter", metric, hypotheses, references)


def score_all(
    hypotheses: Sequence[str], references: Sequence[str], language: str
) -> dict[str, Score]:
    """Scores under `bleu`, `chrf++` and `ter`.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    scores = (
        bleu(hypotheses, references, language),
        chrf_plus_plus(hypotheses, references),
        ter(hypotheses, references, language),
    )
    return {score.name: score for score in scores}


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> float:
    """BLEU, 0-100, alone: what a validation during training needs.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    return bleu(hypotheses, references, language).value


def build_bleu(language: str, *, effective_order: bool = False) -> BLEU:
    """The one BLEU of this project for a language.

    Args:
        language: FLORES-200 code.
        effective_order: leave n-grams out that a sentence is too short for; for single sentences.
    """
    # `force` silences a guess that text is tokenized, which would repeat at every validation.
    return BLEU(tokenize=_tokenizer(language), effective_order=effective_order, force=True)


def _tokenizer(language: str) -> str:
    found = languages()[language]
    if found.script in ("Hans", "Hant"):
        return "zh"
    return "char" if found.is_unsegmented else "13a"


def comparable(hypotheses: Sequence[str], references: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both sides in NFC.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    if len(hypotheses) != len(references):
        raise DataError(
            f"{len(hypotheses)} hypotheses for {len(references)} references: "
            "every reference needs one hypothesis"
        )
    if not references:
        raise DataError("no sentences to score")
    return [_nfc(text) for text in hypotheses], [_nfc(text) for text in references]


def _score(
    name: str, metric: Metric, hypotheses: Sequence[str], references: Sequence[str]
) -> Score:
    hypotheses, references = comparable(hypotheses, references)
    value = metric.corpus_score(hypotheses, [references]).score
    return Score(name, float(value), str(metric.get_signature()))


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
