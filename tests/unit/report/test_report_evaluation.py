"""The parts of the report that compare many systems on many test sets."""

import base64
import gzip
import json
import re
from typing import Any

import pytest

from nmt.errors import StorageError
from nmt.report.console import score_lines
from nmt.report.page import render_report, render_scores
from nmt.report.page import sentences as packing
from nmt.report.page.outcome import choice, winners
from nmt.report.ranking import detectable_range, rank
from nmt.report.scores import Results
from nmt.report.stored import StoredSet
from nmt.runs.evaluation import EvaluationResult
from tests.support.runs.many_systems import (
    SENTENCES,
    SYSTEMS,
    compared,
    result,
    rows,
    stored,
)
from tests.support.runs.summaries import full


def changed(**fields: Any) -> EvaluationResult:
    return EvaluationResult.model_validate(result().model_dump() | fields)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.fixture(scope="module")
def page() -> str:
    return render_scores(result(), stored(), "Three systems")


@pytest.fixture(scope="module")
def text(page: str) -> str:
    return text_of(page)


# Ranking


def test_a_system_whose_difference_may_be_chance_is_tied_with_the_best():
    ranked = rank(Results(result()), "news", "chrf++")
    assert [(row.system, row.place) for row in ranked] == [
        ("tuned", "best"), ("engine", "tied"), ("base", "behind"),
    ]  # fmt: skip


def test_a_lower_ter_is_better():
    scores = [
        row.model_copy(update={"metric": "ter"})
        for row in result().scores
        if row.metric == "chrf++"
    ]
    ranked = rank(Results(changed(scores=scores)), "news", "ter")
    assert [row.system for row in ranked] == ["base", "engine", "tuned"]
    assert {row.place for row in ranked[1:]} == {"untested"}


def test_a_comparison_is_read_in_both_directions():
    results = Results(result())
    forth = results.difference("tuned", "base", "news", "chrf++")
    back = results.difference("base", "tuned", "news", "chrf++")
    assert forth
    assert back
    assert (back.value, back.interval) == (-forth.value, (-11.0, -9.0))
    assert (forth.is_gain, back.is_gain) == (True, False)


def test_equal_outputs_say_nothing_of_what_a_set_can_show():
    same = compared("news", "chrf++", "base", "tuned", 0.0, 1.0)
    equal = same.model_copy(update={"detectable": 0.0, "standard_error": 0.0})
    assert detectable_range(Results(changed(comparisons=[equal])), "news", "chrf++") is None


def test_the_choice_names_the_systems_that_none_beats_on_any_set():
    found = winners(Results(result()))
    assert choice(found) == (
        "Best, or not distinguishable from the best, on every test set: tuned, engine."
    )


def test_the_choice_says_which_systems_were_not_scored_everywhere():
    scores = [row for row in result().scores if (row.system, row.test_set) != ("engine", "talks")]
    assert choice(winners(Results(changed(scores=scores)))) == (
        "Best, or not distinguishable from the best, on every test set: tuned; not scored on "
        "every set: engine."
    )


# Console


def test_console_shows_every_system_with_verdicts_faults_and_what_is_missing():
    lines = [" ".join(line.split()) for line in score_lines(result())]
    for line in (
        "news 120 sentences, 2 references, digest fedcba987654",
        "tuned 30.00* ±11.00 50.00* ±11.00",
        "engine 29.80~ ±11.00 49.80~ ±11.00",
        "verdict tuned: no significant difference from engine (+0.20 chrF++, p = 0.600)",
        "verdict engine: significantly better than the base (+9.80 chrF++, p < 0.001)",
        "unseen chrF++ without the 4 sentences that are like a training pair: base 40.00, "
        "tuned 50.00, engine 49.80",
        "detectable this set shows a difference of 1.10 chrF++ in 80 % of cases, "
        "smaller ones less often",
        "faults tuned: 3 without a number",
        "not computed COMET, MetricX: it needs packages: see the page",
        "not computed all metrics (engine, talks): a direction of its own",
    ):
        assert line in lines


def test_console_needs_at_most_30_lines_for_eight_systems_on_a_set():
    names = [f"s{number}" for number in range(8)]
    scores = [
        row.model_copy(update={"system": name, "value": 10.0 + place})
        for place, name in enumerate(names)
        for row in result().scores
        if (row.system, row.test_set, row.part) == ("tuned", "news", "all")
    ]
    pairs = [(a, b) for a in names for b in names if a < b]
    comparisons = [compared("news", "chrf++", a, b, 1.0, 0.01) for a, b in pairs]
    flags = [
        row.model_copy(update={"system": name}) for name in names for row in result().flags[:1]
    ]
    found = EvaluationResult(
        systems={name: result().systems["tuned"] for name in names},
        test_sets={"news": result().test_sets["news"]},
        scores=tuple(scores),
        comparisons=tuple(comparisons),
        flags=tuple(flags),
    )
    lines = score_lines(found)
    assert len(lines) <= 30
    assert any("s7 (+1.00), s6 (+1.00)" in line for line in lines)


def test_console_leaves_out_a_system_that_did_not_translate_what_shows_forgetting():
    info = result().test_sets["talks"].model_copy(update={"forgetting": True})
    scores = [row for row in result().scores if (row.system, row.test_set) != ("engine", "talks")]
    sets = {**result().test_sets, "talks": info}
    found = EvaluationResult(systems=result().systems, test_sets=sets, scores=tuple(scores),
                             comparisons=())  # fmt: skip
    lines = [" ".join(line.split()) for line in score_lines(found)]
    assert "talks tuned: 20.00 -> 30.00 BLEU (+10.00): kept" in lines
    assert not any(line.startswith("talks engine") for line in lines)


# Page


def test_page_names_the_best_system_and_those_that_may_be_as_good(text: str):
    assert "news, 120 sentences tuned 50.00 or engine 49.80 chrF++ No" in text
    assert "No significant difference between them Significantly worse: base" in text
    assert "This set shows a difference of 1.10 chrF++ in 80 % of cases, smaller ones less" in text


def test_page_has_scores_with_intervals_and_the_unseen_part(text: str):
    assert "49.80 not distinguishable 28.80 to 50.80 unseen 49.80" in text


def test_page_has_the_figures_of_every_pair(text: str):
    assert "engine against tuned −0.20 −1.20 to +0.80 no significant difference 0.600" in text


def test_page_has_slices_faults_words_confidence_and_costs(text: str):
    for part in (
        "length: 1-10 words 50 40.00 50.00 49.80",
        "lacks a number of the source 3 5.0 % of 60",
        "இரண்டு +9",
        "ஒன்று −4",
        "tuned, news 40.0 % 45.0 % 60 0.60",
        "engine, talks 0.100 1.0 s 10,000 cpu",
    ):
        assert part in text


def test_page_says_where_the_figures_come_from(text: str):
    for part in (
        "fedcba987654",
        "English to Tamil",
        "beam 4, length penalty 1, int8, text split into sentences",
        "greedy, fp32",
        "0123456789ab",
        "chrf++|v1",
        "COMET, MetricX it needs packages: see the page",
        "all metrics (engine, talks) a direction of its own",
    ):
        assert part in text


def test_page_of_a_run_shows_what_quantization_costs():
    both = render_report(full(evaluation=renamed(result())))
    assert "Engine beside the model that it was made from, Test set −0.20, may be chance" in (
        text_of(both)
    )


def renamed(found: EvaluationResult) -> EvaluationResult:
    """Call the first test set as a run calls its own."""
    return EvaluationResult.model_validate_json(found.model_dump_json().replace('"news"', '"test"'))


def test_page_shows_examples_of_dropped_pairs_and_digests_of_a_run():
    summary = full()
    data = summary.data.model_dump() | {
        "examples": {"html": [{"source": "<b>", "target": "x"}]},
        "digest": "abcdefabcdef",
    }
    config = {"seed": 5, "scaling": {"workers": 2, "gpus_per_worker": 1}}
    found = text_of(render_report(full(data=data, config=config, seconds={"train": 1800})))
    assert "html &lt;b&gt; x" in found
    assert "prepared data abcdefabcdef" in found
    assert "seed 5" in found
    assert "1.00 GPU-hours" in found


# Sentences


def unpacked(page: str, place: int) -> dict[str, Any]:
    blobs = re.findall(r'<script type="text/plain" class="packed"[^>]*>([^<]*)</script>', page)
    return json.loads(gzip.decompress(base64.b64decode(blobs[place])))


def test_page_holds_every_sentence_with_all_translations(page: str):
    for place, (name, count) in enumerate(SENTENCES.items()):
        found = unpacked(page, place)
        assert len(found["sentences"]) == count
        expected = [rows(name, system)[2].hypothesis for system in SYSTEMS]
        assert found["sentences"][2][2:] == expected
        assert [each["name"] for each in found["systems"]] == list(SYSTEMS)


def test_packed_sentences_hold_no_characters_that_reorder_text(page: str):
    assert "\u202e" not in json.dumps(unpacked(page, 0), ensure_ascii=False)


def test_the_domain_of_a_sentence_cannot_reorder_text_either():
    row = rows("news", "base")[0].model_copy(update={"domain": "ne\u202ews"})
    found = packing.collect_sentences([StoredSet("news", "base", [row])])
    assert found["news"].domains == ["news"]


def test_the_best_system_and_the_base_are_compared_first(page: str):
    assert unpacked(page, 0)["chosen"] == [1, 0]


def test_without_a_base_the_two_best_systems_are_compared_first():
    written = result().model_dump_json().replace('"base"', '"first"')
    found = EvaluationResult.model_validate_json(written.replace('"kind":"first"', '"kind":"file"'))
    sets = [
        StoredSet(each.test_set, each.system.replace("base", "first"), each.rows)
        for each in stored()
    ]
    assert unpacked(render_scores(found, sets, "Three systems"), 0)["chosen"] == [1, 2]


def test_equal_input_makes_an_equal_page(page: str):
    assert render_scores(result(), stored(), "Three systems") == page


def test_systems_with_different_numbers_of_translations_are_refused():
    short = StoredSet("news", "tuned", rows("news", "tuned")[:-1])
    with pytest.raises(StorageError, match=r"news: 119 translations by tuned, and 120 by base"):
        render_scores(result(), [stored()[0], short], "Three systems")


def test_page_says_so_when_it_does_not_hold_all_sentences(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packing, "MAX_SENTENCES", 10)
    page = render_scores(result(), stored(), "Three systems")
    assert "Of news, the page holds the first 10 of 120 sentences" in text_of(page)
    assert len(unpacked(page, 0)["sentences"]) == 10
