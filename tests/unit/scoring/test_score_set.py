"""Everything that is measured of systems on one test set."""

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.data.test_sets import TestSet
from nmt.errors import DataError
from nmt.runs.evaluation import COMPARED_METRICS, METRIC_NAMES, Comparison, SystemScore
from nmt.scoring.confidence import fit_calibration
from nmt.scoring.learned import LearnedScores
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.score import ScoredSet, ScoreOptions, score_set

WORDS = [f"word{index}" for index in range(50)]
SIZE = 60


def text(seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(4, 12))) for _ in range(SIZE)]


def spoil(lines: list[str], share: float, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join(w if rng.random() > share else rng.choice(WORDS) for w in line.split())
        for line in lines
    ]


REFERENCES = text(1), text(2)
TEST = TestSet("news", tuple(text(3)), tuple(map(tuple, REFERENCES)), "deu_Latn", "eng_Latn")
OUTPUTS = {
    "base": SystemOutput(spoil(REFERENCES[0], 0.4, 4)),
    "tuned": SystemOutput(spoil(REFERENCES[0], 0.2, 5)),
    "other": SystemOutput(spoil(REFERENCES[1], 0.3, 6)),
}
OPTIONS = ScoreOptions(bootstrap_samples=100)


@pytest.fixture(scope="module")
def scored() -> ScoredSet:
    return score_set(TEST, OUTPUTS, OPTIONS)


def score(found: ScoredSet, system: str, metric: str, part: str = "all") -> SystemScore:
    rows = [
        row for row in found.scores if (row.system, row.metric, row.part) == (system, metric, part)
    ]
    assert len(rows) == 1
    return rows[0]


def comparison(found: ScoredSet, baseline: str, system: str, metric: str) -> Comparison:
    key = (baseline, system, metric)
    (row,) = (row for row in found.comparisons if (row.baseline, row.system, row.metric) == key)
    return row


def test_scores_are_sacrebleus_with_several_references_and_surrounded_by_intervals(
    scored: ScoredSet,
):
    for name, metric in {"bleu": BLEU(), "chrf++": CHRF(word_order=2)}.items():
        row = score(scored, "tuned", name)
        found = metric.corpus_score(OUTPUTS["tuned"].hypotheses, REFERENCES)
        assert row.value == pytest.approx(found.score, abs=1e-9)
        assert row.signature == str(metric.get_signature())
        assert row.interval is not None
        assert row.interval[0] < row.value < row.interval[1]
        assert row.test_set == "news"


def test_metrics_are_in_the_order_in_which_they_are_shown(scored: ScoredSet):
    metrics = [row.metric for row in scored.scores if row.system == "base"]
    assert metrics == [name for name in METRIC_NAMES if name in metrics]
    assert {"bleu", "chrf", "chrf++", "ter"} <= set(metrics)


def test_every_pair_of_systems_is_compared_and_the_earlier_one_is_the_baseline(scored: ScoredSet):
    pairs = [(row.baseline, row.system) for row in scored.comparisons if row.metric == "bleu"]
    assert pairs == [("base", "tuned"), ("base", "other"), ("tuned", "other")]
    assert [row.metric for row in scored.comparisons[:3]] == list(COMPARED_METRICS)
    row = comparison(scored, "base", "tuned", "chrf++")
    values = [score(scored, name, "chrf++").value for name in ("tuned", "base")]
    assert row.difference == pytest.approx(values[0] - values[1])
    assert row.verdict == "better"
    assert row.resamples == 100
    assert row.detectable == pytest.approx(2.849 * row.standard_error, rel=1e-3)
    assert row.agreement is not None
    assert row.predicted_detectable is not None
    assert 40 < row.agreement < 90


def test_equal_translations_are_not_a_difference():
    found = score_set(TEST, {"a": OUTPUTS["base"], "b": OUTPUTS["base"]}, OPTIONS)
    for row in found.comparisons:
        assert (row.difference, row.standard_error, row.p_value) == (0, 0, 1)
        assert (row.verdict, row.agreement) == ("no significant difference", 100)
        assert row.predicted_detectable is None


def test_order_of_the_systems_only_turns_the_sign(scored: ScoredSet):
    found = score_set(TEST, dict(reversed(OUTPUTS.items())), OPTIONS)
    row, reverse = (
        comparison(each, *names, "bleu")
        for each, names in ((scored, ("base", "tuned")), (found, ("tuned", "base")))
    )
    assert reverse.difference == pytest.approx(-row.difference)
    assert reverse.p_value == pytest.approx(row.p_value)
    assert score(found, "base", "ter") == score(scored, "base", "ter")


def test_sentences_that_are_like_a_training_pair_are_also_left_out():
    overlapping = np.arange(SIZE) < 10
    found = score_set(TEST, OUTPUTS, replace(OPTIONS, overlapping=overlapping))
    row = score(found, "tuned", "bleu", "unseen")
    kept = [list(lines[10:]) for lines in (OUTPUTS["tuned"].hypotheses, *REFERENCES)]
    assert row.value == pytest.approx(BLEU().corpus_score(kept[0], kept[1:]).score)
    assert row.interval is not None
    assert row.interval[0] < row.value < row.interval[1]
    assert [each.overlaps for each in found.rows["tuned"]] == overlapping.tolist()


@pytest.mark.parametrize("overlap", [True, False])
def test_a_part_that_is_the_whole_or_nothing_is_not_scored(overlap: bool):
    options = replace(OPTIONS, overlapping=np.full(SIZE, overlap))
    found = score_set(TEST, {"base": OUTPUTS["base"]}, options)
    assert {row.part for row in found.scores} == {"all"}


def test_metrics_that_no_system_has_are_listed_once_with_the_reason(scored: ScoredSet):
    (row,) = (row for row in scored.not_computed if row.metric == "metricx")
    assert (row.system, row.test_set) == (None, "news")
    assert "--scores" in row.reason


def test_learned_scores_of_some_systems_are_shown_and_the_others_say_why_not():
    values = np.linspace(0.5, 0.9, SIZE)
    learned = {"comet": {"tuned": LearnedScores(values, "comet|v1"), "base": "no memory"}}
    found = score_set(TEST, OUTPUTS, replace(OPTIONS, learned=learned))
    row = score(found, "tuned", "comet")
    assert (row.value, row.signature) == (pytest.approx(0.7), "comet|v1")
    assert row.interval is not None
    assert row.interval[0] < 0.7 < row.interval[1]
    assert found.rows["tuned"][0].scores["comet"] == 0.5
    reasons = {row.system: row.reason for row in found.not_computed if row.metric == "comet"}
    assert reasons["base"] == "no memory"
    assert "--with comet" in reasons["other"]


def test_each_sentence_is_kept_with_its_scores(scored: ScoredSet):
    row = scored.rows["tuned"][7]
    assert row.source == TEST.sources[7]
    assert row.references == (REFERENCES[0][7], REFERENCES[1][7])
    assert row.hypothesis == OUTPUTS["tuned"].hypotheses[7]
    expected = CHRF(word_order=2).sentence_score(row.hypothesis, list(row.references)).score
    assert row.scores["chrf++"] == round(expected, 2)
    assert (row.confidence, row.usable, row.domain, row.overlaps) == (None, None, None, None)


def test_confidence_of_a_calibrated_system_says_how_usable_each_translation_is(scored: ScoredSet):
    quality = [row.scores["chrf++"] for row in scored.rows["tuned"]]
    confidences = [value / 100 - 2 for value in quality]
    calibration = fit_calibration(confidences, quality, threshold=60)
    assert calibration is not None
    unknown: list[float | None] = [None, float("-inf"), *confidences[2:]]
    outputs = OUTPUTS | {"tuned": replace(OUTPUTS["tuned"], confidences=unknown)}
    options = replace(OPTIONS, calibrations={"tuned": calibration})
    found = score_set(TEST, outputs, options)
    rows = found.rows["tuned"]
    assert [row.usable for row in rows[:2]] == [None, None]
    assert rows[2].confidence == confidences[2]
    assert rows[2].usable == calibration.estimate(confidences[2])
    (summary,) = found.confidences
    assert (summary.system, summary.threshold) == ("tuned", 60)
    assert summary.correlation == pytest.approx(1)


def test_domains_are_kept_and_scored_by_themselves():
    domains = tuple("web" if index < 20 else "talks" for index in range(SIZE))
    found = score_set(replace(TEST, domains=domains), OUTPUTS, OPTIONS)
    assert found.rows["base"][0].domain == "web"
    (row,) = (row for row in found.slices if (row.system, row.label) == ("base", "web"))
    expected = BLEU().corpus_score(
        list(OUTPUTS["base"].hypotheses[:20]), [lines[:20] for lines in REFERENCES]
    )
    assert row.sentences == 20
    assert row.scores["bleu"] == pytest.approx(expected.score)


def test_faults_are_counted_and_marked():
    outputs = {"base": SystemOutput(["", *OUTPUTS["base"].hypotheses[1:]])}
    found = score_set(TEST, outputs, OPTIONS)
    counts = {row.flag: (row.count, row.of) for row in found.flags if row.system == "base"}
    assert counts["empty"] == (1, SIZE)
    assert "empty" in found.rows["base"][0].flags


def test_words_are_compared_with_the_first_system(scored: ScoredSet):
    assert {(row.baseline, row.system) for row in scored.ngrams} == {
        ("base", "tuned"),
        ("base", "other"),
    }


def test_documents_are_the_units_of_differences_and_intervals():
    documents = tuple(str(index // 10) for index in range(SIZE))
    found = score_set(replace(TEST, documents=documents), OUTPUTS, OPTIONS)
    row = comparison(found, "base", "tuned", "chrf++")
    whole = comparison(score_set(TEST, OUTPUTS, OPTIONS), "base", "tuned", "chrf++")
    assert row.difference == whole.difference
    assert row.standard_error != whole.standard_error
    assert row.predicted_detectable is None


@pytest.mark.parametrize("documents", [None, ("a",) * 3], ids=["sentence", "document"])
def test_a_score_of_a_single_sentence_or_document_has_no_interval(
    documents: tuple[str, ...] | None,
):
    size = 3 if documents else 1
    test_set = replace(
        TEST,
        sources=TEST.sources[:size],
        references=tuple(stream[:size] for stream in TEST.references),
        documents=documents,
    )
    found = score_set(test_set, {"base": SystemOutput(text(9)[:size])}, OPTIONS)
    assert {row.interval for row in found.scores} == {None}


def test_a_single_document_cannot_be_compared(caplog: pytest.LogCaptureFixture):
    found = score_set(replace(TEST, documents=("one",) * SIZE), OUTPUTS, OPTIONS)
    assert found.comparisons == ()
    assert score(found, "base", "bleu").value > 0
    assert "test set news has a single document" in caplog.text


@pytest.mark.parametrize(
    ("outputs", "options", "message"),
    [
        ({}, ScoreOptions(), "no system to score"),
        (
            {"base": SystemOutput(["one"])},
            ScoreOptions(),
            "'news' has 60 sentences, but system 'base' has 1",
        ),
        (
            {"base": replace(OUTPUTS["base"], confidences=[-1.0])},
            ScoreOptions(),
            "the confidence of system 'base' has 1",
        ),
        (
            {"base": OUTPUTS["base"]},
            ScoreOptions(learned={"comet": {"base": LearnedScores(np.ones(3), "")}}),
            "COMET of system 'base' has 3",
        ),
        (
            {"base": OUTPUTS["base"]},
            ScoreOptions(overlapping=np.ones(2, dtype=bool)),
            "the overlap with the training has 2",
        ),
    ],
)
def test_what_does_not_fit_the_test_set_is_refused(
    outputs: Mapping[str, SystemOutput], options: ScoreOptions, message: str
):
    with pytest.raises(DataError, match=message):
        score_set(TEST, outputs, options)


def test_references_of_different_sizes_and_an_empty_set_are_refused():
    with pytest.raises(DataError, match="reference 2 has 59"):
        score_set(replace(TEST, references=(TEST.references[0], TEST.references[1][1:])), OUTPUTS)
    with pytest.raises(DataError, match="'news' has no sentences"):
        score_set(replace(TEST, sources=()), OUTPUTS)
