"""How far a job on Kubernetes has come, and how it ended: a small file on the storage root."""

import logging
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, NonNegativeFloat

from nmt.cli.durations import duration
from nmt.runs import layout
from nmt.runs.evaluation import METRIC_NAMES
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

    def describe(self) -> str:
        """Describe how far the step at work has come, or how the job ended, in a few words."""
        if self.exit_code:
            return f"ended with exit code {self.exit_code}: {self.error or 'no message'}"
        parts = [] if self.percent is None else [f"{self.percent:.0f} %"]
        if self.remaining_seconds is not None:
            parts.append(f"{duration(self.remaining_seconds)} left")
        if self.metric is not None and self.best is not None:
            parts.append(f"best {METRIC_NAMES[self.metric]} {self.best:.1f}")
        at = datetime.fromtimestamp(self.updated_at, UTC)
        return ", ".join([*parts, f"as of {at:%Y-%m-%d %H:%M} UTC"])


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


def latest_progress(storage: Storage, run: str) -> dict[str, JobProgress]:
    """Read which steps the jobs of a run are at; the job that wrote last counts for a step."""
    found: dict[str, JobProgress] = {}
    for name in storage.list(layout.job_logs(run)):
        job = name.removesuffix(layout.JOB_PROGRESS_SUFFIX)
        progress = read_job_progress(storage, run, job) if job != name else None
        if progress is None or progress.step is None:
            continue
        before = found.get(progress.step)
        if before is None or before.updated_at <= progress.updated_at:
            found[progress.step] = progress
    return found
