"""The course of a training for TensorBoard and MLflow; a fault here never stops a training."""

import logging
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from nmt import __version__
from nmt.runs import layout
from nmt.runs.steps import TRAIN
from nmt.storage import Storage
from nmt.training.loading import TrainingJob
from nmt.training.saved.records import MLFLOW_RUN, MlflowRun

log = logging.getLogger(__name__)

Status = Literal["FINISHED", "FAILED", "KILLED"]
_PARAMETER_CHARACTERS, _PARAMETERS_PER_CALL = 6000, 100


class Tracker(Protocol):
    """Takes figures by step."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        ...

    def flush(self) -> None:
        """Make what was recorded visible to others."""
        ...

    def close(self, status: Status) -> None:
        """End the record."""
        ...


class Tracking:
    """All trackers of a training as one; the first fault of one ends that one with a warning."""

    def __init__(self, openers: Mapping[str, Callable[[], Tracker]]) -> None:
        self.status: Status = "KILLED"
        """How the training ended, as far as it is known by now."""
        self._trackers: dict[str, Tracker] = {}
        for name, opener in openers.items():
            with self._guard(name):
                self._trackers[name] = opener()

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        self._each(lambda tracker: tracker.metrics(step, values))

    def flush(self) -> None:
        """Make what was recorded visible to others."""
        self._each(lambda tracker: tracker.flush())

    def close(self) -> None:
        """End the records with the status known."""
        self._each(lambda tracker: tracker.close(self.status))

    def _each(self, action: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._guard(name):
                action(tracker)

    @contextmanager
    def _guard(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._trackers.pop(name, None)
            log.warning("tracking.%s: no more is recorded: %s", name, error)


class TensorBoard:
    """Events in the training's folder; an object store gets the whole file at each flush."""

    def __init__(self, storage: Storage, folder: str, step: int) -> None:
        """Open the events.

        Args:
            storage: the storage root.
            folder: of the events, below the root.
            step: the last one whose points still hold.
        """
        from tensorboardX import SummaryWriter  # only those who track pay for it

        self._storage, self._folder = storage, folder
        self._temporary = None if storage.is_local else tempfile.TemporaryDirectory()
        self._logdir = Path(self._temporary.name if self._temporary else storage.locate(folder))
        # The name has whole seconds: a quick resume would overwrite the events before it.
        suffix = f".{uuid.uuid4().hex[:8]}"
        self._writer = SummaryWriter(str(self._logdir), purge_step=step + 1, filename_suffix=suffix)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def flush(self) -> None:
        """Upload the events, where the storage root is an object store."""
        self._writer.flush()
        if self._temporary:
            for file in self._logdir.iterdir():
                self._storage.write_bytes(f"{self._folder}/{file.name}", file.read_bytes())

    def close(self, status: Status) -> None:
        """Write what is still held back."""
        self._writer.close()
        self.flush()
        if self._temporary:
            self._temporary.cleanup()


class Mlflow:
    """One MLflow run per training folder; a resumed training goes on in it."""

    def __init__(self, job: TrainingJob) -> None:
        # Read at import; and a server that is gone must not hold up the training for minutes.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        from mlflow.tracking import MlflowClient

        self._job = job
        try:
            self._client = MlflowClient(_uri(job))
        except Exception:
            if job.config.tracking.mlflow_uri is not None:
                raise
            time.sleep(5)  # a trial beside this one was making the tables of the same file
            self._client = MlflowClient(_uri(job))
        file = layout.mlflow_run(job.folder)
        anew = "what follows is recorded in a new MLflow run"
        known = MLFLOW_RUN.find_or_leave_out(job.storage, file, anew, log.warning)
        if known is None:
            self._run = self._create()
            MLFLOW_RUN.write(job.storage, file, MlflowRun(self._run))
        else:
            self._run = known.run_id
            self._client.update_run(self._run, status="RUNNING")

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        points = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=points)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self, status: Status) -> None:
        """End the run."""
        self._client.set_terminated(self._run, status)

    def _create(self) -> str:
        from mlflow.entities import Param

        config, folder = self._job.config, self._job.folder
        step = folder.removeprefix(f"{config.run}/")
        tags = {
            "run": config.run,
            "step": step,
            "base": str(self._job.base),
            "version": __version__,
        }
        run = self._client.create_run(self._experiment(), tags=tags, run_name=folder).info.run_id
        params = [
            Param(key, str(value)[:_PARAMETER_CHARACTERS])
            for key, value in config.settings(*TRAIN.reads).items()
        ]
        for start in range(0, len(params), _PARAMETERS_PER_CALL):
            self._client.log_batch(run, params=params[start : start + _PARAMETERS_PER_CALL])
        return run

    def _experiment(self) -> str:
        from mlflow.exceptions import MlflowException

        name = self._job.config.tracking.experiment
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return self._client.create_experiment(name, **_artifacts(self._job))
            except MlflowException:  # a trial beside this one may have been first
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return found.experiment_id


@contextmanager
def track(job: TrainingJob, step: int, *, enabled: bool) -> Iterator[Tracking]:
    """Records of one attempt from a step on; none where it is not enabled."""
    openers: dict[str, Callable[[], Tracker]] = {}
    if enabled and job.config.tracking.tensorboard:
        openers["tensorboard"] = lambda: TensorBoard(
            job.storage, layout.tensorboard(job.folder), step
        )
    if enabled and job.config.tracking.mlflow:
        openers["mlflow"] = lambda: Mlflow(job)
    tracking = Tracking(openers)
    try:
        yield tracking
    except Exception:
        tracking.status = "FAILED"
        raise
    finally:
        tracking.close()


def _uri(job: TrainingJob) -> str:
    return (
        job.config.tracking.mlflow_uri or f"sqlite:///{job.storage.locate(layout.MLFLOW_DATABASE)}"
    )


def _artifacts(job: TrainingJob) -> dict[str, Any]:
    """A server knows its own place; without one MLflow would take the working folder."""
    if job.config.tracking.mlflow_uri is not None:
        return {}
    return {"artifact_location": job.storage.locate(layout.MLFLOW_ARTIFACTS)}
