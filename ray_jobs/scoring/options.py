"""The options of `nmt score`.

Imports neither NumPy nor Ray, so that `nmt --help` is quick.
"""

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from nmt.errors import ConfigError, InputError, shortened
from nmt.languages import resolve_language
from nmt.runs.evaluation import LEARNED_METRICS, METRIC_NAMES

SCORE = "score"
"""Name of the command and of its module below `ray_jobs`."""
ABOUT = "score translations of any systems in files, without a model"
EXAMPLES = """examples:
  nmt score --source news.en --reference news.ta --language ta \\
      --hypotheses google=google.ta nllb=nllb.ta --output scores
  nmt score --config sets.yaml --output scores    several test sets: evaluation.sets and .systems
"""
DEFAULT_MODEL = "Unbabel/wmt22-comet-da"
# A key without a dot, such as `seed`, could be the name of a system.
_SETTING = re.compile(r"\w+(\.[\w-]+)+=")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """A file with the scores of one system in a learned metric."""

    metric: str
    system: str
    test_set: str | None
    """None: the only test set."""
    place: str


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """What to score, and where to write the result."""

    source: str | None = None
    references: tuple[str, ...] = ()
    language: str | None = None
    """FLORES-200 code of the translations."""
    source_language: str | None = None
    """FLORES-200 code; None: `data.source_language`."""
    hypotheses: dict[str, str] = field(default_factory=dict)
    """System -> file of its translations of the only test set."""
    scores: tuple[ScoreFile, ...] = ()
    learned: tuple[str, ...] = ()
    """Learned metrics to compute."""
    comet_model: str = DEFAULT_MODEL
    train: str | None = None
    """File with the sources of the training."""
    output: str | None = None


def add_scoring_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ScoringOptions`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    group = parser.add_argument_group("options of score")
    add_file_options(group)
    _add_learned(group)
    add = group.add_argument
    add("--train", metavar="FILE", help="sources of the training, to score rare words apart")
    add("--output", metavar="DIR", help="folder or URL for scores, translations and report.html")


def add_file_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options that name the files of a test set and of its translations."""
    add = group.add_argument
    add("--source", metavar="FILE", help="sources of a test set, one in each line")
    add(
        "--reference",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="its references, one in each line; several files: several references",
    )
    add("--language", metavar="CODE", help="language of the translations, such as ta")
    add("--source-language", metavar="CODE", help="default: data.source_language")
    add(
        "--hypotheses",
        nargs="+",
        action="extend",
        default=[],
        metavar="SYSTEM=FILE",
        help="translations, one in each line, or JSON lines of an evaluation, which bring the test "
        "set with them; the first system is the baseline",
    )


def _add_learned(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    add(
        "--with",
        dest="learned",
        action="append",
        # MetricX has no package, so its scores come from a file.
        choices=["comet"],
        default=[],
        help="also compute COMET, on Ray in an environment of its own",
    )
    add(
        "--comet-model",
        default=DEFAULT_MODEL,
        metavar="NAME|FILE",
        help=f"model of COMET, by hub name or checkpoint file (default: {DEFAULT_MODEL})",
    )
    add(
        "--scores",
        nargs="+",
        action="extend",
        default=[],
        metavar="METRIC:SYSTEM[:SET]=FILE",
        help="scores of the sentences in a learned metric, made by another program",
    )


def take_settings(options: argparse.Namespace) -> list[str]:
    """Take the settings out of the words of the options, which may have swallowed some."""
    taken: list[str] = []
    for words in (options.reference, options.hypotheses, getattr(options, "scores", [])):
        # A system has no dot in its name, and a reference rarely has `=` in its own.
        found = [word for word in words if _SETTING.match(word) and not Path(word).exists()]
        words[:] = [word for word in words if word not in found]
        taken += found
    return [*options.overrides, *taken]


def file_options(options: argparse.Namespace) -> ScoringOptions:
    """Read the options that name files.

    Raises:
        InputError: one of them is malformed.
    """
    return ScoringOptions(
        source=options.source,
        references=tuple(options.reference),
        language=_language("--language", options.language),
        source_language=_language("--source-language", options.source_language),
        hypotheses=_systems(options.hypotheses),
    )


def scoring_options(options: argparse.Namespace) -> ScoringOptions:
    """Read and check the options of a parsed command line.

    Raises:
        InputError: an option is malformed, or one that it needs is missing.
    """
    found = replace(
        file_options(options),
        scores=tuple(_score_file(word) for word in options.scores),
        learned=tuple(dict.fromkeys(options.learned)),
        comet_model=options.comet_model,
        train=options.train,
        output=options.output,
    )
    if bool(found.source) != bool(found.references):
        given, missing = "--source", "--reference"
        if not found.source:
            given, missing = missing, given
        raise InputError(f"{given} is given, but {missing} is not: a test set needs both")
    if found.source and not found.language:
        raise InputError("--language is not given: name the language of the references")
    return found


def _language(option: str, code: str | None) -> str | None:
    try:
        return code and resolve_language(code)
    except ConfigError as error:
        raise InputError(f"{option}: {error}") from None


def _systems(words: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, sign, place = word.partition("=")
        if not sign or not place:
            raise InputError(
                f"--hypotheses {shortened(word)}: write SYSTEM=FILE, such as google={word}"
            )
        if not _NAME.fullmatch(name):
            raise InputError(
                f"--hypotheses {shortened(word)}: '{shortened(name)}' cannot be the name of a "
                "system, which begins with a letter and has letters, digits, - and _"
            )
        if name in found:
            raise InputError(f"--hypotheses names the system '{name}' twice")
        found[name] = place
    return found


def _score_file(word: str) -> ScoreFile:
    key, sign, place = word.partition("=")
    metric, *names = key.split(":")
    if not sign or not place or len(names) not in (1, 2):
        raise InputError(
            f"--scores {shortened(word)}: write METRIC:SYSTEM=FILE, such as "
            "comet:google=google.comet; with several test sets METRIC:SYSTEM:SET=FILE"
        )
    if metric not in LEARNED_METRICS:
        known = "computed by `nmt score` itself" if metric in METRIC_NAMES else "not known"
        raise InputError(
            f"--scores {shortened(word)}: '{shortened(metric)}' is {known}: the metric is one of "
            f"{', '.join(LEARNED_METRICS)}"
        )
    return ScoreFile(metric, names[0], names[1] if len(names) > 1 else None, place)
