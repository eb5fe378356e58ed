"""How far a job on Kubernetes has come, and how it ended: a small file on the storage root."""

import logging
from typing import Annotated

from pydantic import Field, NonNegativeFloat

from nmt.runs import layout
from nmt.runs.step_result import ResultPart
from nmt.runs.validation_scores import MetricKey, MetricScore
from nmt.storage import RecordKind, Storage

log = logging.getLogger(__name__)


class JobProgress(ResultPart):
    """How far a job has come: the content of `RUN/logs/NAME.progress.json`."""

    job: str
    """Ray's submission id: another job of the same name begins anew."""
    steps: tuple[str, ...]
    """The steps of a run that the job does, in order; empty for other work."""
    step: str | None = None
    """The step at work; null before the first and after the last one."""
    percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """How much of that step is done; null where that is not known."""
    remaining_seconds: NonNegativeFloat | None = None
    """Estimated time until the end of that step; null where that is not known."""
    metric: MetricKey | None = None
    """Metric of the validations of that step."""
    best: MetricScore | None = None
    """Best validation score of that step; null before its first validation."""
    updated_at: NonNegativeFloat
    """When this was written, in seconds since 1970."""
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = None
    """Null while the job runs. It is final only once the RayJob has ended: a job whose Pod was
    stopped has one too, and begins again in the next Pod."""
    error: str = ""
    """The last line that a failed job wrote about its error."""


JOB_PROGRESS = RecordKind(JobProgress, "the progress of a job")


def read_job_progress(storage: Storage, run: str, job: str) -> JobProgress | None:
    """Read how far a job has come; None if it has not begun, or the file cannot be read.

    Args:
        storage: the storage root.
        run: name of the run.
        job: name of the job, as that of its RayJob.
    """
    path, unknown = layout.job_progress(run, job), "the progress of this job is not known"
    return JOB_PROGRESS.find_or_leave_out(storage, path, unknown, log.warning)
