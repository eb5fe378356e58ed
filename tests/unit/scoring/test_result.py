from types import SimpleNamespace
from typing import cast

import pytest

from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import NotComputed, SystemInfo, SystemScore, TestSetInfo
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.result import join_sets, take_samples
from nmt.scoring.score import ScoredSet


def scored(test_set: str, *reasons: NotComputed) -> ScoredSet:
    score = SystemScore(
        system="google", test_set=test_set, metric="bleu", value=20.0, signature="BLEU|x"
    )
    empty = dict.fromkeys(("comparisons", "slices", "flags", "ngrams", "confidences"), ())
    rows = SimpleNamespace(scores=(score,), not_computed=reasons, rows={}, **empty)
    return cast(ScoredSet, rows)


def joined(*reasons: NotComputed):
    sets = {
        name: (TestSetInfo(sentences=3), scored(name, *(r for r in reasons if r.test_set == name)))
        for name in ("news", "talks")
    }
    return join_sets({"google": SystemInfo()}, sets)


def missing(test_set: str, **changes: str) -> NotComputed:
    row = NotComputed(metric="spbleu", reason="no tokenizer", test_set=test_set)
    return row.model_copy(update=changes)


def test_the_rows_of_all_test_sets_are_in_one_result():
    result = joined()
    assert list(result.test_sets) == ["news", "talks"]
    assert [score.test_set for score in result.scores] == ["news", "talks"]


def test_a_reason_that_holds_for_every_test_set_is_given_once():
    assert joined(missing("news"), missing("talks")).not_computed == (
        NotComputed(metric="spbleu", reason="no tokenizer"),
    )


@pytest.mark.parametrize("changes", [{"reason": "another"}, {"system": "google"}])
def test_other_reasons_stay_apart(changes):
    rows = (missing("news"), missing("talks", **changes))
    assert joined(*rows).not_computed == rows


def test_samples_are_evenly_spaced_and_show_every_system():
    texts = tuple(map(str, range(10)))
    test_set = TestSet("news", texts, (texts,), "eng_Latn", "tam_Taml")
    outputs = {"a": SystemOutput(texts), "b": SystemOutput(texts[::-1])}
    samples = list(take_samples(test_set, outputs, 3))
    assert [sample.source for sample in samples] == ["0", "3", "6"]
    assert samples[1].hypotheses == {"a": "3", "b": "6"}
    assert list(take_samples(test_set, outputs, 0)) == []
