"""What `nmt evaluate` logs of its outcome."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest

from nmt.config import load_config
from nmt.errors import StorageError
from nmt.evaluation.kept import TranslationRecord, digest_of_output, keep
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult, SystemInfo
from nmt.runs.records import SUMMARY, Record, settings_of
from nmt.runs.results import BaseResult, ExportResult, PrepareResult, TrainResult
from nmt.runs.step_result import StepResult
from nmt.runs.steps import STEPS
from nmt.scoring.outputs import SystemOutput
from nmt.storage import Storage
from ray_jobs import evaluate
from ray_jobs.runtime.context import Session
from tests.support.evaluation.fake_systems import SOURCES, sentences_of
from tests.support.runs.summaries import BETTER, UNSURE, WORSE, bare, evaluation


def keep_translations(storage: Storage, found: EvaluationResult) -> None:
    """Leave the translations that the rows of a result were computed from."""
    for name, system in {(row.test_set, row.system) for row in found.scores}:
        output = SystemOutput(["மருத்துவர் இங்கே."])
        keep(
            storage, "demo", sentences_of(name, SOURCES[:1]), system, output,
            TranslationRecord(key="1", texts=digest_of_output(output), system=SystemInfo()),
        )  # fmt: skip


RESULTS = {
    "prepare": PrepareResult(sizes={"train": 900, "test": 60}),
    "base": BaseResult(license="mit"),
    "train": TrainResult(trained_parameters=50, left_out=0, steps=10),
    "export": ExportResult(engine="e", format="torch", logit_difference=0.0, license="mit"),
}


def evaluated(
    storage: Storage, result: dict[str, Any], results: Mapping[str, StepResult] | None = None
) -> Session:
    """A run in which every step up to the evaluation is done."""
    found = {name: each.as_json() for name, each in (results or {}).items()}
    config = load_config(overrides=["run=demo"])
    for name in ("prepare", "base", "train", "export", "evaluate"):
        step = STEPS[name]
        inputs = {each: f"{each}-1" for each in step.after}
        record = Record(name, True, settings_of(step, config), inputs, output=f"{name}-1")
        record = replace(record, result=result if name == "evaluate" else found.get(name, {}))
        storage.write_json(layout.step_record("demo", step), asdict(record))
    return Session(config, storage, frozenset({"run"}))


@pytest.mark.parametrize(
    ("compared", "tuned", "verdict"),
    [
        (BETTER, 31.5, "significantly better than the base (+11.50 BLEU, p = 0.002"),
        (WORSE, 8.5, "significantly worse than the base (-11.50 BLEU, p = 0.002"),
        (UNSURE, 20.5, "no significant difference from the base (-11.50 BLEU, p = 0.300"),
    ],
    ids=["better", "worse", "unsure"],
)
def test_the_scores_of_both_systems_and_the_verdict_are_logged(
    tmp_path, caplog, compared, tuned, verdict
):
    found = evaluation(20.0, tuned, compared=compared)
    storage = Storage(str(tmp_path))
    keep_translations(storage, found)
    with caplog.at_level(logging.INFO):
        evaluate.run(evaluated(storage, found.model_dump(mode="json")))
    lines = [" ".join(line.split()) for line in caplog.messages]
    figures = [line.replace("*", "").replace("~", "") for line in lines]  # marks of the best
    assert f"tuned {tuned:.2f} ±3.00 60.00 {100 - tuned:.2f}" in figures
    assert "base 20.00 ±3.00 50.00 80.00" in figures
    assert any("TER: lower is better" in line for line in lines)
    assert any(line.startswith(f"verdict tuned: {verdict}") for line in lines)


def test_a_record_that_cannot_be_read_is_refused_with_the_command_that_makes_it_again(tmp_path):
    session = evaluated(Storage(str(tmp_path)), {"base": {}})
    with pytest.raises(StorageError, match=r"step\.json.*nmt evaluate --restart"):
        evaluate.run(session)


def test_the_report_of_a_finished_pipeline_gets_the_scores_of_a_later_evaluation(tmp_path):
    storage = Storage(str(tmp_path))
    found = evaluation(20.0, 31.5, compared=BETTER)
    keep_translations(storage, found)
    SUMMARY.write(storage, "demo/summary.json", bare(evaluation=evaluation(compared=None)))
    evaluate.run(evaluated(storage, found.model_dump(mode="json")))
    summary = SUMMARY.find(storage, "demo/summary.json", "")
    assert summary
    assert summary.evaluation == found
    page = storage.read_bytes("demo/report.html").decode()
    assert "31.50" in page
    assert "corpus.tsv" in page


def test_steps_that_were_done_one_by_one_are_summarized_without_an_endpoint(tmp_path):
    storage = Storage(str(tmp_path))
    found = evaluation(20.0, 31.5, compared=BETTER)
    keep_translations(storage, found)
    evaluate.run(evaluated(storage, found.model_dump(mode="json"), RESULTS))
    summary = SUMMARY.find(storage, "demo/summary.json", "")
    assert summary
    assert (summary.evaluation, summary.data.sizes) == (found, {"train": 900, "test": 60})
    assert not summary.endpoint.checked
    assert "endpoint" not in summary.seconds
    page = storage.read_bytes("demo/report.html").decode()
    assert "31.50" in page
    assert "not checked" in page


def test_a_pipeline_writes_its_summary_itself(tmp_path):
    storage = Storage(str(tmp_path))
    found = evaluation(20.0, 31.5, compared=BETTER)
    keep_translations(storage, found)
    session = evaluated(storage, found.model_dump(mode="json"), RESULTS)
    evaluate.run(replace(session, in_pipeline=True))
    assert not storage.exists("demo/summary.json")


def test_a_run_of_which_other_records_cannot_be_read_gets_a_report_of_its_scores(tmp_path, caplog):
    storage = Storage(str(tmp_path))
    found = evaluation(20.0, 31.5, compared=BETTER)
    keep_translations(storage, found)
    evaluate.run(evaluated(storage, found.model_dump(mode="json")))
    assert "the report shows the evaluation alone" in caplog.text
    assert "31.50" in storage.read_bytes("demo/report.html").decode()
    assert not storage.exists("demo/summary.json")
