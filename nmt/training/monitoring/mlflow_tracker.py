"""The figures of a training as an MLflow run."""

import logging
import os
import time
from collections.abc import Mapping

from nmt import __version__
from nmt.runs import layout
from nmt.runs.steps import TRAIN
from nmt.training.job import TrainingJob
from nmt.training.saved.records import MLFLOW_RUN, MlflowRun

log = logging.getLogger(__name__)

# MLflow's own limits.
_MAX_PARAMETER_CHARACTERS, _MAX_PARAMETERS_PER_CALL = 6000, 100


class MlflowTracker:
    """One MLflow run per training folder, which a resumed training continues."""

    def __init__(self, job: TrainingJob) -> None:
        # MLflow reads these when it is imported. Its own retries would hold up the training for
        # minutes when the server does not answer.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        from mlflow.tracking import MlflowClient

        self._job = job
        database = f"sqlite:///{job.storage.locate(layout.MLFLOW_DATABASE)}"
        uri = job.config.tracking.mlflow_uri or database
        try:
            self._client = MlflowClient(uri)
        except Exception:
            if job.config.tracking.mlflow_uri is not None:
                raise
            time.sleep(5)  # a parallel trial was creating the tables of the same file
            self._client = MlflowClient(uri)
        self._run = self._find_or_create_run()

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        # One request for all of them: the training waits for the server's answer.
        points = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=points)

    def flush(self) -> None:
        """Do nothing: the server has all figures already."""

    def close(self, status: str) -> None:
        """End the run."""
        self._client.set_terminated(self._run, status)

    def _find_or_create_run(self) -> str:
        storage, file = self._job.storage, layout.mlflow_run(self._job.folder)
        remedy = "what follows is recorded in a new MLflow run"
        known = MLFLOW_RUN.find_or_leave_out(storage, file, remedy, log.warning)
        if known is not None:
            self._client.update_run(known.run_id, status="RUNNING")
            return known.run_id
        run = self._create_run()
        MLFLOW_RUN.write(storage, file, MlflowRun(run))
        return run

    def _create_run(self) -> str:
        """Create a run that names the training and all of its settings."""
        from mlflow.entities import Param

        config, folder = self._job.config, self._job.folder
        tags = {
            "run": config.run,
            "step": folder.removeprefix(f"{config.run}/"),
            "base": str(self._job.base),
            "version": __version__,
        }
        run = self._client.create_run(self._experiment(), tags=tags, run_name=folder).info.run_id
        params = [
            Param(key, str(value)[:_MAX_PARAMETER_CHARACTERS])
            for key, value in config.settings(*TRAIN.reads).items()
        ]
        for start in range(0, len(params), _MAX_PARAMETERS_PER_CALL):
            self._client.log_batch(run, params=params[start : start + _MAX_PARAMETERS_PER_CALL])
        return run

    def _experiment(self) -> str:
        """Find the experiment, or create it."""
        from mlflow.exceptions import MlflowException

        name = self._job.config.tracking.experiment
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return self._client.create_experiment(name, self._artifact_location())
            except MlflowException:  # a parallel trial may have been first
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return found.experiment_id

    def _artifact_location(self) -> str | None:
        # A server knows where its artifacts go. Without one, MLflow would use the working folder.
        if self._job.config.tracking.mlflow_uri is not None:
            return None
        return self._job.storage.locate(layout.MLFLOW_ARTIFACTS)
