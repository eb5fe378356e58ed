"""Scores of COMET, whose packages need an environment of their own: Ray makes it on a worker."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmt.cli.progress import PairProgress
from nmt.config import Config
from nmt.data.test_sets import TestSet
from nmt.errors import InputError
from nmt.scoring.learned import LearnedResult, LearnedScores
from nmt.scoring.outputs import SystemOutput
from ray_jobs.scoring.comet_actor import CometActor, CometRow

log = logging.getLogger(__name__)

PACKAGES = (
    "unbabel-comet==2.2.7",
    "transformers==4.57.6",
    "pytorch-lightning==2.6.6",
    "torchmetrics==0.10.3",
    "numpy==1.26.4",
    "protobuf==4.25.9",
    "pyarrow==22.0.0",
    "setuptools==80.9.0",
)
"""What is installed over this project's packages; several of them exclude each other."""

# Ray gives up after ten minutes, which copying an environment and a slow index can take.
_SETUP_SECONDS = 1800
_BATCH_SIZE = 16
_CALL_ROWS = 512
"""Translations of one call of the worker, after which the progress is logged."""


@dataclass(frozen=True, slots=True)
class CometRequest:
    """The translations of one test set by some systems."""

    test_set: TestSet
    outputs: Mapping[str, SystemOutput]


def score_with_comet(
    config: Config, model: str, requests: Sequence[CometRequest]
) -> list[dict[str, LearnedResult]]:
    """Score the translations of all test sets in one process on Ray.

    Args:
        config: settings of Ray and of the worker's CPUs and GPUs.
        model: a checkpoint file that the worker can read, or a name on the hub.
        requests: the translations.

    Returns:
        For each request, system -> its scores or the reason why there are none.
    """
    if not any(request.outputs for request in requests):
        return [{} for _ in requests]
    try:
        signature, values = _score_on_ray(config, model, requests)
    except _NotComputedError as error:
        log.warning("comet is not computed: %s", error)
        return [dict.fromkeys(request.outputs, str(error)) for request in requests]
    remaining = iter(values)
    return [_take(request, signature, remaining) for request in requests]


class _NotComputedError(Exception):
    """The reason why there are no scores."""


def _score_on_ray(
    config: Config, model: str, requests: Sequence[CometRequest]
) -> tuple[str, list[float]]:
    """Compute the scores of all rows of `_rows`, and the signature.

    Raises:
        _NotComputedError: Ray, the environment or the model is not available.
    """
    # Imported here: Ray takes a second to load, and an installation that only scores may lack it.
    try:
        import ray
        from ray.exceptions import RayError, RuntimeEnvSetupError

        from ray_jobs.runtime.connection import connect
    except ModuleNotFoundError as error:
        raise _NotComputedError(f"the package '{error.name}' is missing: install ray") from None
    rows = [row for request in requests for row in _rows(request)]
    values: list[float] = []
    try:
        with connect(config):
            actor = _start(config)
            log.info("comet: Ray installs %s, which can take minutes", PACKAGES[0])
            signature: str = ray.get(actor.load.remote(model))
            progress = PairProgress("comet: scored", len(rows), units="translations")
            for start in range(0, len(rows), _CALL_ROWS):
                part = rows[start : start + _CALL_ROWS]
                values += ray.get(actor.score.remote(part))
                progress.add(len(part))
            # On a cluster that others use, its GPU would stay reserved until this process ends.
            ray.kill(actor)
    except RuntimeEnvSetupError as error:
        raise _NotComputedError(
            f"Ray cannot install {PACKAGES[0]}: {first_reason(error)}"
        ) from None
    except (RayError, InputError) as error:
        raise _NotComputedError(first_reason(error)) from None
    if not all(map(math.isfinite, values)):
        raise _NotComputedError(f"the model {model} gives scores that are not numbers")
    return signature, values


def _start(config: Config) -> Any:  # noqa: ANN401 - Ray's own type of it knows no methods
    import ray

    scaling = config.scaling
    # Without the check, since the packages of this project that are not used there do not fit.
    packages = {"packages": list(PACKAGES), "pip_check": False}
    return (
        ray.remote(CometActor)
        .options(
            num_cpus=scaling.cpus_per_worker,
            num_gpus=scaling.gpus_per_worker,
            runtime_env={"pip": packages, "config": {"setup_timeout_seconds": _SETUP_SECONDS}},
        )
        .remote(gpus=int(scaling.gpus_per_worker > 0), batch_size=_BATCH_SIZE)
    )


def _rows(request: CometRequest) -> Iterator[CometRow]:
    # COMET reads one reference, so a sentence with several has a row for each of them.
    for output in request.outputs.values():
        for references in request.test_set.references:
            texts = zip(request.test_set.sources, output.hypotheses, references, strict=True)
            for source, hypothesis, reference in texts:
                yield CometRow(src=source, mt=hypothesis, ref=reference)


def _take(
    request: CometRequest, signature: str, values: Iterator[float]
) -> dict[str, LearnedResult]:
    """Take the scores of one request, averaged over the references."""
    count = len(request.test_set.references)
    sentences = len(request.test_set)
    found: dict[str, LearnedResult] = {}
    for system in request.outputs:
        table = np.array([[next(values) for _ in range(sentences)] for _ in range(count)])
        found[system] = LearnedScores(table.mean(axis=0), f"{signature}|refs:{count}|mean")
    return found


def first_reason(error: Exception) -> str:
    """Shorten a message of Ray, which holds the log of an installation or a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # pip says what is wrong in such a line, a traceback in its last one.
    from_pip = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    from_python = [line.removeprefix("RuntimeError: ") for line in lines if "Error: " in line]
    last = (from_pip or from_python or lines or [type(error).__name__])[-1]
    return f"{last}. Scores made elsewhere can be given with --scores comet:SYSTEM=FILE"
