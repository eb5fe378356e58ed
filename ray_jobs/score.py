"""Score translations of any systems in files; needs no model and, but for COMET, no Ray."""

import argparse
import sys
from collections.abc import Mapping, Sequence

from nmt.cli.progress import PairProgress
from nmt.config import Config, load_config
from nmt.data.test_sets import describe_set
from nmt.errors import InputError
from nmt.report.console import score_lines
from nmt.runs.evaluation import EVERY_METRIC, EvaluationResult, NotComputed, SystemInfo, TestSetInfo
from nmt.scoring.hypothesis_files import read_exact_lines
from nmt.scoring.learned import WHY_NOT, LearnedResult, read_learned_scores
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.result import join_sets, take_samples
from nmt.scoring.score import ScoredSet, ScoreOptions, score_set
from nmt.scoring.words import count_words, source_words
from ray_jobs.cli.runner import add_options, guarded, parse
from ray_jobs.scoring.comet_scores import CometRequest, score_with_comet
from ray_jobs.scoring.inputs import ScoredInput, read_inputs
from ray_jobs.scoring.options import (
    ABOUT,
    SCORE,
    ScoreFile,
    ScoringOptions,
    add_scoring_options,
    scoring_options,
    take_settings,
)
from ray_jobs.scoring.output import open_output, write_output

_Learned = dict[str, dict[str, LearnedResult]]
"""Metric -> system -> scores."""


def run(options: argparse.Namespace) -> None:
    """Score what the command line names, print the scores, and write them if asked to.

    Raises:
        InputError: the options or the files cannot be used.
    """
    config = load_config(options.config, take_settings(options))
    asked = scoring_options(options)
    # Before the work, so that a folder that cannot be used costs no time.
    storage = open_output(asked.output, restart=options.restart) if asked.output else None
    inputs = read_inputs(config, asked)
    learned = _learned(config, asked, inputs)
    scored = _score(config, asked, inputs, learned)
    result = _result(config, inputs, scored)
    sys.stdout.writelines(f"{line}\n" for line in score_lines(result))
    if storage:
        rows = {name: each.rows for name, each in scored.items()}
        write_output(storage, result, rows, f"Scores on {', '.join(scored)}")
        sys.stdout.write(f"written to {storage.locate('')}\n")


def _learned(
    config: Config, options: ScoringOptions, inputs: Sequence[ScoredInput]
) -> list[_Learned]:
    """Collect the scores of learned metrics for each test set."""
    found: list[_Learned] = [{} for _ in inputs]
    # Files first: a mistake in one of them should be found before COMET takes its time.
    for file in options.scores:
        index = _index_of(file, inputs)
        scored = inputs[index]
        if file.system in found[index].get(file.metric, {}):
            raise InputError(f"--scores names the {file.metric} of '{file.system}' twice")
        found[index].setdefault(file.metric, {})[file.system] = read_learned_scores(
            file.place, file.metric, file.system, len(scored.test_set)
        )
    if "comet" in options.learned:
        requests = [
            CometRequest(each.test_set, _without_scores(each, known.get("comet", {})))
            for each, known in zip(inputs, found, strict=True)
        ]
        by_set = score_with_comet(config, options.comet_model, requests)
        for known, systems in zip(found, by_set, strict=True):
            known.setdefault("comet", {}).update(systems)
    _explain_missing(inputs, found)
    return found


def _without_scores(
    scored: ScoredInput, known: Mapping[str, LearnedResult]
) -> dict[str, SystemOutput]:
    return {name: output for name, output in scored.outputs.items() if name not in known}


def _index_of(file: ScoreFile, inputs: Sequence[ScoredInput]) -> int:
    names = [each.test_set.name for each in inputs]
    if file.test_set is None and len(names) > 1:
        raise InputError(
            f"--scores {file.metric}:{file.system} does not say of which test set: write "
            f"{file.metric}:{file.system}:SET=FILE with one of {', '.join(names)}"
        )
    if file.test_set and file.test_set not in names:
        raise InputError(
            f"--scores names the test set '{file.test_set}': the test sets are {', '.join(names)}"
        )
    index = names.index(file.test_set) if file.test_set else 0
    if file.system not in inputs[index].outputs:
        raise InputError(
            f"--scores names the system '{file.system}', of which there are no translations of "
            f"'{names[index]}': the systems are {', '.join(inputs[index].outputs)}"
        )
    return index


def _explain_missing(inputs: Sequence[ScoredInput], found: Sequence[_Learned]) -> None:
    """Give a reason for each system that has no score while another one has."""
    for each, known in zip(inputs, found, strict=True):
        for metric, systems in known.items():
            for name in each.outputs:
                systems.setdefault(name, WHY_NOT[metric])


def _score(
    config: Config,
    options: ScoringOptions,
    inputs: Sequence[ScoredInput],
    learned: Sequence[_Learned],
) -> dict[str, ScoredSet]:
    """Score every test set."""
    words = _training_words(options, inputs)
    total = sum(len(each.test_set) * len(each.outputs) for each in inputs)
    progress = PairProgress("all test sets: scored", total, units="translations")
    found: dict[str, ScoredSet] = {}
    for each, known in zip(inputs, learned, strict=True):
        found[each.test_set.name] = score_set(
            each.test_set,
            each.outputs,
            ScoreOptions(
                bootstrap_samples=config.evaluation.bootstrap_samples,
                seed=config.seed,
                training_words=words,
                learned=known,
            ),
        )
        # Each test set logs its own progress.
        if len(inputs) > 1:
            progress.add(len(each.test_set) * len(each.outputs))
    return found


def _training_words(
    options: ScoringOptions, inputs: Sequence[ScoredInput]
) -> Mapping[str, int] | None:
    """Count how often the training has the words of the test sets; None if it is not given."""
    if not options.train:
        return None
    wanted = source_words(each.test_set for each in inputs)
    return count_words(read_exact_lines(options.train), wanted)


def _result(
    config: Config, inputs: Sequence[ScoredInput], scored: Mapping[str, ScoredSet]
) -> EvaluationResult:
    systems = {name: SystemInfo() for each in inputs for name in each.outputs}
    samples = [
        sample
        for each in inputs
        for sample in take_samples(each.test_set, each.outputs, config.evaluation.report_samples)
    ]
    return join_sets(
        systems,
        {each.test_set.name: (_info(config, each), scored[each.test_set.name]) for each in inputs},
        samples=samples,
        not_computed=[
            NotComputed(
                metric=EVERY_METRIC,
                reason="there is no file of its translations",
                test_set=each.test_set.name,
                system=name,
            )
            for each in inputs
            for name in systems
            if name not in each.outputs
        ],
    )


def _info(config: Config, scored: ScoredInput) -> TestSetInfo:
    settings = config.evaluation.sets.get(scored.test_set.name)
    return describe_set(scored.test_set, forgetting=settings.forgetting if settings else False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command as `python -m ray_jobs.score`, and return its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m ray_jobs.{SCORE}", description=ABOUT)
    add_options(parser)
    add_scoring_options(parser)
    options = parse(parser, arguments)
    return guarded(lambda: run(options), extra="train")


if __name__ == "__main__":
    sys.exit(main())
