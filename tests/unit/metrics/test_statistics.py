"""Counts of sentences: equal to sacreBLEU's, and so are the scores of any sum of them."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.errors import DataError
from nmt.metrics import agreement, statistics

TAMIL, THAI, CHINESE = "tam_Taml", "tha_Thai", "zho_Hans"
TOKENIZERS = {TAMIL: "13a", THAI: "char", CHINESE: "zh"}
WORDS = {
    TAMIL: ["வீடு", "மரம்,", "(நாய்)", "பூனை.", "a", "b-c!", "3.5", "&amp;", "நாய்"],
    THAI: list("กขคงจ่้า ๆ."),
    CHINESE: list("医生在家。 ab3,"),
}
SENTENCES = 120

BUILD: dict[str, Callable[[str, bool], Metric]] = {
    "bleu": lambda language, whole: BLEU(
        tokenize=TOKENIZERS[language], force=True, effective_order=not whole
    ),
    "chrf": lambda language, whole: CHRF(),
    "chrf++": lambda language, whole: CHRF(word_order=2),
}


def draw(language: str, seed: int) -> list[str]:
    """Draw sentences, among them empty and very short ones."""
    rng = random.Random(seed)
    glue = " " if language == TAMIL else ""
    sizes = [0, 1, 2, 3, 4, 8, 25]
    return [glue.join(rng.choices(WORDS[language], k=rng.choice(sizes))) for _ in range(SENTENCES)]


@pytest.fixture(params=[TAMIL, THAI, CHINESE])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[1, 3], ids=["one reference", "three references"])
def texts(request: pytest.FixtureRequest, language: str) -> tuple[list[str], list[list[str]]]:
    return draw(language, 0), [draw(language, seed) for seed in range(1, request.param + 1)]


@pytest.mark.parametrize("metric", BUILD)
def test_counts_score_and_signature_are_those_of_sacrebleu(
    metric: str, language: str, texts: tuple[list[str], list[list[str]]]
):
    counted = statistics(metric, *texts, language)
    original = BUILD[metric](language, True)
    assert counted.counts.tolist() == original._extract_corpus_statistics(*texts)
    score = original.corpus_score(*texts).score
    assert counted.corpus(counted.counts.sum(axis=0)) == pytest.approx(score, abs=1e-9)
    assert counted.signature == str(original.get_signature())


@pytest.mark.parametrize("metric", BUILD)
def test_a_sentence_has_the_score_of_sacrebleu(
    metric: str, language: str, texts: tuple[list[str], list[list[str]]]
):
    hypotheses, references = texts
    original = BUILD[metric](language, False)
    pairs = zip(hypotheses, zip(*references, strict=True), strict=True)
    expected = [original.sentence_score(one, list(others)).score for one, others in pairs]
    found = statistics(metric, hypotheses, references, language).segments()
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", BUILD)
def test_any_sum_of_counts_has_the_score_of_sacrebleu(metric: str):
    hypotheses, references = draw(TAMIL, 0), [draw(TAMIL, 1)]
    counted = statistics(metric, hypotheses, references, TAMIL)
    original = BUILD[metric](TAMIL, True)
    rng = np.random.default_rng(1)
    drawn = [rng.integers(SENTENCES, size=size) for size in (1, 2, 3, 10, SENTENCES) * 10]
    sums = np.stack([counted.counts[rows].sum(axis=0) for rows in drawn])
    expected = [score_of(original, hypotheses, references[0], rows) for rows in drawn]
    assert counted.corpus(sums) == pytest.approx(expected, abs=1e-9)


def score_of(metric: Metric, hypotheses: list[str], reference: list[str], rows: NDArray) -> float:
    chosen = [hypotheses[row] for row in rows], [[reference[row] for row in rows]]
    return metric.corpus_score(*chosen).score


@pytest.mark.parametrize("metric", BUILD)
def test_sums_keep_their_leading_axes_and_may_be_fractions(metric: str):
    counted = statistics(metric, draw(TAMIL, 0), [draw(TAMIL, 1)], TAMIL)
    without_half = counted.counts.sum(axis=0) - counted.counts / 2
    assert counted.corpus(without_half).shape == (SENTENCES,)
    assert counted.corpus(without_half.reshape(2, -1, without_half.shape[1])).shape == (2, 60)


@pytest.mark.parametrize("metric", BUILD)
def test_a_long_test_set_is_counted_in_parts(metric: str, monkeypatch: pytest.MonkeyPatch):
    texts = draw(TAMIL, 0), [draw(TAMIL, 1), draw(TAMIL, 2)]
    at_once = statistics(metric, *texts, TAMIL).counts
    monkeypatch.setattr("nmt.metrics.segment_statistics._AT_A_TIME", 7)
    assert (statistics(metric, *texts, TAMIL).counts == at_once).all()


@pytest.mark.parametrize("metric", BUILD)
def test_empty_texts_score_0(metric: str):
    counted = statistics(metric, ["", ""], [["", "a"]], TAMIL)
    assert counted.segments().tolist() == [0, 0]
    assert counted.corpus(counted.counts.sum(axis=0)) == 0


def test_half_a_surrogate_pair_is_a_character_like_any_other():
    assert statistics("chrf", ["a\ud800b"], [["a\ud800b"]], TAMIL).segments().tolist() == [100]


def test_agreement_is_the_mean_chrf_of_the_sentences():
    hypotheses, others = draw(TAMIL, 0), draw(TAMIL, 1)
    pairs = zip(hypotheses, others, strict=True)
    expected = [CHRF().sentence_score(one, [other]).score for one, other in pairs]
    assert agreement(hypotheses, others) == pytest.approx(sum(expected) / SENTENCES)


def test_agreement_refuses_lists_of_different_lengths():
    with pytest.raises(DataError, match="2 hypotheses for 1 references"):
        agreement(["a", "b"], ["a"])
