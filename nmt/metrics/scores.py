"""Corpus scores by sacreBLEU; only scores with equal signatures can be compared."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nmt.errors import DataError
from nmt.languages import languages


@dataclass(frozen=True, slots=True)
class Score:
    """One score of a whole corpus."""

    name: str
    """`bleu`, `chrf++` or `ter`."""
    value: float
    """BLEU and chrF++: 0-100, higher is better. TER: lower is better, may exceed 100."""
    signature: str
    """sacreBLEU's settings and version, `nrefs:1|case:mixed|...`."""


def bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> Score:
    """Score translations with BLEU.

    Args:
        hypotheses: one for each reference.
        references: in the order of the hypotheses.
        language: FLORES-200 code of both.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Papineni et al. 2002, https://aclanthology.org/P02-1040
    """
    return _score("bleu", build_bleu(language), hypotheses, references)


def chrf_plus_plus(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Score translations with the F-score of character 1-6-grams and word 1-2-grams.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Popović 2017, https://aclanthology.org/W17-4770
    """
    return _score("chrf++", CHRF(word_order=2), hypotheses, references)


def ter(hypotheses: Sequence[str], references: Sequence[str], language: str) -> Score:
    """Score translations with the translation edit rate: edits per reference word, in percent.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25
    """
    # Without spaces between words, each ideogram counts as a word.
    ideographic = languages()[language].is_ideographic
    # Without normalization, a word with an attached full stop would count as a wrong word.
    metric = TER(normalized=True, asian_support=ideographic)
    return _score("ter", metric, hypotheses, references)


def score_all(
    hypotheses: Sequence[str], references: Sequence[str], language: str
) -> dict[str, Score]:
    """Score translations with every metric: `bleu`, `chrf++` and `ter`.

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
    """Return only the BLEU of translations, 0-100, as a validation during training needs it.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    return bleu(hypotheses, references, language).value


def build_bleu(language: str, *, effective_order: bool = False) -> BLEU:
    """Build the BLEU metric of this project for a language.

    Args:
        language: FLORES-200 code.
        effective_order: ignore n-grams longer than the sentence; for scores of single sentences.
    """
    # `force` suppresses a warning that the text looks tokenized, which every validation would
    # repeat.
    return BLEU(tokenize=_tokenizer(language), effective_order=effective_order, force=True)


def _tokenizer(language: str) -> str:
    found = languages()[language]
    # Without spaces between words, 13a would take a whole clause for one word.
    if found.script in ("Hans", "Hant"):
        return "zh"
    # For Tamil, 13a gives the BLEU of `intl` to within .15.
    return "char" if found.is_unsegmented else "13a"


def normalise(hypotheses: Sequence[str], references: Sequence[str]) -> tuple[list[str], list[str]]:
    """Bring both sides to NFC.

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
    # Against a composed reference, decomposed Tamil would lose about 18 BLEU.
    composed = partial(unicodedata.normalize, "NFC")
    return list(map(composed, hypotheses)), list(map(composed, references))


def _score(
    name: str, metric: Metric, hypotheses: Sequence[str], references: Sequence[str]
) -> Score:
    hypotheses, references = normalise(hypotheses, references)
    value = metric.corpus_score(hypotheses, [references]).score
    return Score(name, float(value), str(metric.get_signature()))
