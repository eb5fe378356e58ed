"""A single metric of translations, as validations compute it."""

from typing import get_args

import pytest

from nmt.config.sections.training import ValidationMetric
from nmt.errors import DataError
from nmt.metrics import check_metric, corpus_score, score_all
from nmt.runs.evaluation import METRIC_NAMES

METRICS = get_args(ValidationMetric)
HYPOTHESES = ["the cat sat on the mat .", "a dog barks at night", "no idea"]
REFERENCES = ["the cat sat on a mat .", "the dog barks at night", "I have no idea"]


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"spbleu", "ter-char"}))
def test_a_metric_has_the_score_of_an_evaluation(metric: str) -> None:
    whole = score_all(HYPOTHESES, [REFERENCES], "eng_Latn").computed[metric].value
    assert corpus_score(metric, HYPOTHESES, REFERENCES, "eng_Latn") == pytest.approx(whole)


def test_character_ter_has_the_score_of_an_evaluation() -> None:
    ours, theirs = ["猫坐在垫子上"], ["猫坐在一个垫子上"]
    whole = score_all(ours, [theirs], "zho_Hans").computed["ter-char"].value
    assert corpus_score("ter-char", ours, theirs, "zho_Hans") == pytest.approx(whole)


def test_every_metric_has_a_name() -> None:
    assert set(METRICS) <= set(METRIC_NAMES)


@pytest.mark.parametrize("metric", ["ter", "meteor", "rougeL"])
def test_a_metric_of_words_is_refused_for_text_without_spaces(metric: str) -> None:
    with pytest.raises(DataError, match=rf"validation_metric={metric}: .* set chrf, or ter-char"):
        check_metric(metric, "jpn_Jpan")


def test_spbleu_without_its_tokenizer_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr("sacrebleu.utils.SACREBLEU_DIR", str(tmp_path))
    with pytest.raises(DataError, match="validation_metric=spbleu: its tokenizer is not at"):
        check_metric("spbleu", "tam_Taml")


@pytest.mark.parametrize("metric", ["bleu", "chrf", "chrf++", "ter", "ter-char", "rouge1"])
def test_a_metric_that_can_be_computed_is_allowed(metric: str) -> None:
    check_metric(metric, "tam_Taml")
