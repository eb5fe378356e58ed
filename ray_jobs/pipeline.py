"""All steps of a run in order, then a summary, a report and a check of the endpoint."""

import importlib
import logging
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.report.console import console_lines
from nmt.report.summarize import Records, summarize
from nmt.runs import layout
from nmt.runs.evaluation import ENGINE_SYSTEM
from nmt.runs.records import SUMMARY, result_of
from nmt.runs.results import EndpointSummary, Summary
from nmt.runs.steps import EVALUATE, PIPELINE, PREPARE, AnyStep, pipeline_steps
from nmt.traffic import promote
from ray_jobs import prepare
from ray_jobs.runtime.checks import check as check_settings
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.restart import discard_run
from ray_jobs.runtime.storage_location import absolute_storage, inside_job
from ray_jobs.runtime.written_summary import write_summary

if TYPE_CHECKING:
    from ray_jobs.serving.probe import EndpointCheck

log = logging.getLogger(__name__)


def run(session: Session) -> Summary:
    """Do what is not done yet of a run and leave `summary.json` and `report.html`.

    Raises:
        NmtError: of the step that failed; the steps before it stay done.
    """
    summary = run_steps(session, pipeline_steps(session.config))
    for line in ["", *_next_lines(session, summary)]:
        log.info("%s", line)
    return summary


def run_steps(session: Session, steps: Sequence[AnyStep]) -> Summary:
    """Do steps from the data to the scores, ask the endpoint, and write summary and report.

    Raises:
        NmtError: of the step that failed; the steps before it stay done.
    """
    config, storage = session.config, session.storage
    check_settings(storage, config, PIPELINE)
    if session.restart:
        discard_run(storage, config.run)
        session = session.without_restart()
    with connect(config):
        records = _steps(session, steps)
        endpoint, seconds = _endpoint(session, records)
    summary = summarize(storage, config, records, endpoint, seconds)
    write_summary(storage, config.run, summary)
    for line in console_lines(summary):
        log.info("%s", line)
    return summary


def _steps(session: Session, steps: Sequence[AnyStep]) -> Records:
    session = replace(session, in_pipeline=True)
    records: Records = {}
    for number, step in enumerate(steps, 1):
        log.info("[%d/%d] %s", number, len(steps) + 1, step.name)
        records[step.name] = importlib.import_module(f"ray_jobs.{step.name}").run(session)
        if step is PREPARE:
            prepare.check_split(session.storage, session.config.run, records[step.name], "test")
    log.info("[%d/%d] endpoint", len(steps) + 1, len(steps) + 1)
    return records


def _endpoint(session: Session, records: Records) -> tuple[EndpointSummary, float]:
    """Ask a real endpoint for one test sentence, unless an earlier call did for this engine."""
    engine = records["export"].output
    evaluation = result_of(session.storage, session.config.run, EVALUATE, records["evaluate"])
    samples = evaluation.samples
    sentence = samples[0].source if samples else "Hello."
    path, again = layout.summary(session.config.run), "the endpoint is asked again"
    before = SUMMARY.find_or_leave_out(session.storage, path, again, log.warning)
    if before and before.engine == engine and before.endpoint.checked:
        log.info("endpoint: already checked")
        return before.endpoint, before.seconds.get("endpoint", 0.0)
    started = time.monotonic()
    answer = check(session, engine, sentence)
    log.info("endpoint: %s -> %s", answer.source, answer.target)
    seen = EndpointSummary(
        checked=True,
        source=answer.source,
        target=answer.target,
        engine=answer.engine,
    )
    return seen, round(time.monotonic() - started, 2)


def check(session: Session, engine: str, sentence: str) -> "EndpointCheck":
    """Serve an engine on a free port under a pointer of its own, ask over HTTP, and stop."""
    from ray_jobs.serving import lifecycle, probe

    name = f"check-{session.config.run}"[:40].rstrip("-_.").replace("_", "-").replace(".", "-")
    # The engine is the run's own and answers nobody else, so it may be signed later.
    own = {"serving.name": name, "serving.port": 0, "serving.public_key": None}
    config = session.config.with_overrides(own)
    promote(session.storage, name, engine)
    try:
        url = lifecycle.start(config)
        return probe.check_endpoint(url, timeout_seconds=60, sentence=sentence)
    finally:
        lifecycle.stop()
        session.storage.delete(layout.endpoint(name))


def _next_lines(session: Session, summary: Summary) -> list[str]:
    config = session.config
    place = f"run={config.run}{storage_word(session)}"
    report = session.storage.locate(layout.report(config.run))
    nmt = nmt_command()
    serve_it = f"{nmt} serve {place}"
    compared = summary.evaluation.comparison(ENGINE_SYSTEM)
    if compared and compared.verdict == "worse":
        serve_it = f'{nmt} promote {place} --force "REASON", since it is worse than its base'
    example = "The doctor is at home." if config.data.is_phrasebook else "…"
    lines = [
        f"report      {report}",
        f"serve it    {serve_it}",
        f'in a shell  {nmt} translate {place} "{example}"',
    ]
    if config.data.is_phrasebook:
        lines.append(f"your data   {nmt} quickstart data.path=corpus.tmx run=mine")
    return lines


def nmt_command() -> str:
    """Return the console command as this shell finds it."""
    # `make` runs the command without activating `.venv`.
    called = Path(sys.argv[0])
    if called.name != "nmt" or shutil.which("nmt"):
        return "nmt"
    return os.path.relpath(called)


def storage_word(session: Session) -> str:
    """Write the word that a later command needs to find the storage root from another place."""
    if "storage" not in session.user_set and not inside_job():
        return ""
    return f" storage={shlex.quote(absolute_storage(session.config))}"


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("pipeline")
