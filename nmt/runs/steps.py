"""The steps of a run: what each one reads, what it follows, and where it keeps its work."""

from dataclasses import dataclass

_MODEL_LIMITS = ("model.max_source_tokens", "model.max_target_tokens")


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of work on a run."""

    name: str
    folder: str
    """Folder below the run."""
    reads: tuple[str, ...]
    """Settings that change what the step makes; a section stands for all keys below it."""
    after: tuple[str, ...] = ()
    """Steps whose output this one uses."""


PREPARE = Step("prepare", "data", ("data", "seed"))
BASE = Step("base", "base", ("model", "seed"), ("prepare",))
TUNE = Step(
    "tune",
    "tune",
    (*_MODEL_LIMITS, "adapter", "training", "strategy", "tune", "seed"),
    ("prepare", "base"),
)
TRAIN = Step(
    "train",
    "train",
    (*_MODEL_LIMITS, "adapter", "training", "strategy", "seed"),
    ("prepare", "base"),
)
EVALUATE = Step("evaluate", "evaluation", ("evaluation", "seed"), ("prepare", "base", "train"))
EXPORT = Step("export", "export", ("export",), ("prepare", "base", "train"))

STEPS = {step.name: step for step in (PREPARE, BASE, TUNE, TRAIN, EVALUATE, EXPORT)}
