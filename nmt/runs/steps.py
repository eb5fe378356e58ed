"""The registry of steps: one entry says everything that the commands need to know of a step.

To add a step, add an entry here and a module `ray_jobs/NAME.py` with a function `run(session)`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal

from nmt.config import Config
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.gate import GateResult
from nmt.runs.results import BaseResult, ExportResult, PrepareResult, TrainResult, TuneResult
from nmt.runs.step_result import ResultT
from nmt.runs.variants import VariantsResult

Processes = Literal["driver", "worker", "workers", "trials"]
"""Where a step's work runs: in the command itself, on one worker, on all workers of
`scaling.workers`, or on one worker per concurrent trial."""

PIPELINE = "pipeline"
"""Name of the command that does all steps from the data to the scores."""
CAMPAIGN = "campaign"
"""Name of the command that does all steps, to the decision of the gate."""

# The rest of `model` reaches a training through the base that it starts from.
_MODEL_LIMITS = ("model.max_source_tokens", "model.max_target_tokens")
_TRAINING = (*_MODEL_LIMITS, "adapter", "training", "strategy", "seed")


@dataclass(frozen=True, slots=True)
class Step(Generic[ResultT]):
    """One kind of work on a run."""

    name: str
    """Name of the command and of its module below `ray_jobs`."""
    folder: str
    """Folder below the run."""
    about: str
    """One line for `--help`."""
    result: type[ResultT]
    """What its record holds as the result."""
    reads: tuple[str, ...]
    """Settings that change what the step makes; a section stands for all keys below it."""
    after: tuple[str, ...] = ()
    """Steps whose output this one uses."""
    extra: str = "train"
    """Extra of this package that holds the libraries the step needs."""
    processes: Processes = "driver"
    tracked: bool = False
    """Whether the step trains and records its course as `tracking` says."""
    on_demand: bool = False
    """Whether the steps after this one do it themselves where it is missing."""
    extends: bool = False
    """Whether other settings add to what the step has made, instead of being refused."""
    outlives_restart: bool = False
    """Whether what it found stays until a restarted call has found something else."""
    taken_over: bool = True
    """Whether another run may take it over by `campaign.reuse`."""
    in_pipeline: Callable[[Config], bool] = lambda config: True
    """Tells whether a pipeline with these settings does the step."""
    priority: Literal["train", "tune"] = "train"
    """Key of the release's priority classes."""

    @property
    def required(self) -> str:
        """Return the step that must be done before this one can start; empty if there is none."""
        others = [name for name in self.after if not STEPS[name].on_demand]
        return others[-1] if others else ""


PREPARE = Step(
    "prepare", "data", "read, clean and split parallel text", PrepareResult, ("data", "seed")
)
BASE = Step(
    "base",
    "base",
    "check the base model; build and train it when it is `tiny`",
    BaseResult,
    ("model", "seed"),
    # A tiny base learns its vocabulary and its weights from the run's pairs.
    after=("prepare",),
    processes="worker",
    on_demand=True,
)
TUNE = Step(
    "tune",
    "tune",
    "search methods and their settings for the best validation score",
    TuneResult,
    (*_TRAINING, "tune"),
    after=("prepare", "base"),
    processes="trials",
    tracked=True,
    in_pipeline=lambda config: config.tune.trials > 0,
    priority="tune",
)
TRAIN = Step(
    "train",
    "train",
    "train the adapter, from the search's best where it fits",
    TrainResult,
    _TRAINING,
    # Not after `tune`: a run without a search is trained too, and the record then holds what the
    # training took from the search among its settings.
    after=("prepare", "base"),
    processes="workers",
    tracked=True,
)
VARIANTS = Step(
    "variants",
    "variants",
    "train the best settings with other seeds, and the best of each other method",
    VariantsResult,
    (*_TRAINING, "campaign.seeds", "campaign.methods"),
    after=("prepare", "base", "train"),
    processes="workers",
    tracked=True,
    extends=True,
    in_pipeline=lambda config: False,
)
EXPORT = Step(
    "export",
    "export",
    "merge, compare and convert the adapter into an engine",
    ExportResult,
    ("export",),
    after=("prepare", "base", "train"),
    processes="worker",
)
EVALUATE = Step(
    "evaluate",
    "evaluation",
    "score the base, the tuned model, the engine and other systems on test sets",
    EvaluationResult,
    # The engine translates as the endpoint does.
    ("evaluation", "serving.beam_size", "serving.length_penalty", "seed"),
    # The engine is what users get, so it is scored too.
    after=("prepare", "base", "train", "export"),
    processes="worker",
    extends=True,
)
GATE = Step(
    "gate",
    "gate",
    "decide whether the engine may replace the one that serves",
    GateResult,
    ("gate", "evaluation", "serving.name", "serving.beam_size", "serving.length_penalty", "seed"),
    # Its test sets are those of the evaluation, which has translated them.
    after=("prepare", "base", "train", "export", "evaluate"),
    processes="worker",
    extends=True,
    # Else a restart that is stopped would take a rejection away, and let the engine be promoted.
    outlives_restart=True,
    # Each decision is a use of its test sets.
    taken_over=False,
    in_pipeline=lambda config: False,
)

# `Step` is invariant in its result type, so a table of several steps needs `Any`.
AnyStep = Step[Any]

STEPS: dict[str, AnyStep] = {
    step.name: step for step in (PREPARE, BASE, TUNE, TRAIN, VARIANTS, EXPORT, EVALUATE, GATE)
}
"""Name -> step, in the order in which a pipeline does them."""


def pipeline_steps(config: Config) -> list[AnyStep]:
    """List the steps that a pipeline with these settings does, in order."""
    return [step for step in STEPS.values() if step.in_pipeline(config)]


def campaign_steps(config: Config) -> list[AnyStep]:
    """List the steps that a campaign with these settings does, in order."""
    return [step for step in STEPS.values() if step.in_pipeline(config) or step in _OF_CAMPAIGNS]


_OF_CAMPAIGNS = (VARIANTS, GATE)


def steps_of(command: str, config: Config) -> list[AnyStep]:
    """List the steps that a command does: all of a pipeline's or campaign's, one, or none."""
    if command == PIPELINE:
        return pipeline_steps(config)
    if command == CAMPAIGN:
        return campaign_steps(config)
    return [STEPS[command]] if command in STEPS else []
