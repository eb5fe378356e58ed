"""The table of quality and cost, from a translation memory to the trained systems."""

from typing import Any

from nmt.report.console import score_lines
from nmt.report.ladder import ladder_lines, ladders
from nmt.report.page import render_scores
from nmt.report.scores import Results
from nmt.runs.evaluation import Cost, EvaluationResult, NotComputed, SystemInfo
from tests.support.runs.summaries import evaluation, scores

REASON = "an encoder-decoder takes no examples"


def evaluated() -> EvaluationResult:
    """Evaluate a memory, a base that takes no examples, a tuned model and a file."""
    two = evaluation()
    systems = {
        **two.systems,
        "google": SystemInfo(kind="file"),
        "few-shot": SystemInfo(kind="few-shot"),
        "memory": SystemInfo(kind="memory", size_bytes=2_500_000, preparation_seconds=0.4),
    }
    systems["tuned"] = SystemInfo(
        kind="tuned", parameters=1000, trained_parameters=50, preparation_seconds=75,
        size_bytes=20_000_000,
    )  # fmt: skip
    rows = [*two.scores, *scores("memory", 5.0, None, 20.0), *scores("google", 40.0, None, 70.0)]
    return two.model_copy(
        update={
            "systems": systems,
            "scores": tuple(rows),
            "costs": (
                Cost(test_set="test", system="memory", seconds=0.5, characters=900),
                Cost(test_set="test", system="tuned", seconds=120, characters=900),
            ),
            "not_computed": (
                NotComputed(metric="all", reason=REASON, system="few-shot", test_set="test"),
            ),
        }
    )


def cells(system: str) -> dict[str, str]:
    (ladder,) = ladders(Results(evaluated()))
    heading, *rows = ladder_lines(ladder)
    starts = [heading.index(name) for name in heading.split()]
    row = next(row for row in rows if row.startswith(system))
    ends = [*starts[1:], None]
    return {
        heading[start:end].strip(): row[start:end].strip()
        for start, end in zip(starts, ends, strict=True)
    }


def order(**changes: Any) -> list[str]:
    result = evaluated().model_copy(update=changes)
    return [rung.system for ladder in ladders(Results(result)) for rung in ladder.rungs]


def test_the_systems_stand_in_the_order_of_the_work_that_they_need():
    assert order() == ["memory", "base", "few-shot", "tuned", "google"]


def test_without_a_baseline_there_is_no_ladder():
    assert ladders(Results(evaluation())) == []
    assert not any(line.startswith("ladder") for line in score_lines(evaluation()))


def test_each_system_has_its_scores_with_intervals_and_its_costs():
    assert cells("memory") == {
        "chrF++": "20.00", "BLEU": "5.00 ±3.00", "time": "0.5 s", "sentences/s": "120.0",
        "size": "2.50 MB", "parameters": "-", "trained": "-", "preparation": "0.4 s",
    }  # fmt: skip
    assert cells("tuned") == {
        "chrF++": "60.00", "BLEU": "31.50 ±3.00", "time": "2 min 00 s", "sentences/s": "0.5",
        "size": "20.0 MB", "parameters": "1,000", "trained": "50", "preparation": "1 min 15 s",
    }  # fmt: skip


def test_a_system_that_was_not_computed_has_no_scores_instead_of_zeros():
    found = cells("few-shot")
    assert (found["chrF++"], found["BLEU"]) == ("not computed", "not computed")
    assert found["time"] == found["size"] == "-"
    assert "0.00" not in found.values()
    assert any(REASON in line for line in score_lines(evaluated()))


def test_the_console_and_the_page_show_the_ladder():
    lines = score_lines(evaluated())
    first = lines.index("ladder      quality and cost on test")
    assert [line.split()[0] for line in lines[first + 2 : first + 7]] == order()
    page = render_scores(evaluated(), (), "Run demo")
    table = page.partition("Quality and cost: Test set")[2].partition("</table>")[0]
    assert [name for name in order() if f'<th scope="row">{name}</th>' in table] == order()
    assert "2.00 to 8.00" in table
    assert "not computed" in table


def test_a_language_without_words_has_chrf_instead_of_chrf_with_words():
    rows = [
        row.model_copy(update={"metric": "chrf"}) if row.metric == "chrf++" else row
        for row in evaluated().scores
    ]
    (ladder,) = ladders(Results(evaluated().model_copy(update={"scores": tuple(rows)})))
    assert ladder.metrics == ("chrf", "bleu")
