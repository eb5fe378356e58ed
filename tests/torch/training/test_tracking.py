import struct
from dataclasses import replace

import pytest
from typing_extensions import override

from nmt.config import Config
from nmt.data.prepare import prepare
from nmt.errors import ConfigError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.events import NoNotice
from nmt.training.job import TrainingJob
from nmt.training.monitoring.tracking import Tracking
from nmt.training.trainer import run_training

tensorboard = pytest.importorskip("tensorboardX.proto.event_pb2", reason="extra train")


pytestmark = pytest.mark.usefixtures("quick_validation")


def with_settings(job: TrainingJob, **tracking: object) -> TrainingJob:
    changed = {f"tracking.{key}": value for key, value in tracking.items()}
    return replace(job, config=job.config.with_overrides(changed))


def events(job: TrainingJob) -> list:
    """All events: each record is a length, its checksum, the content and its checksum."""
    found, folder = [], layout.tensorboard(job.folder)
    for name in job.storage.list(folder):
        content = job.storage.read_bytes(f"{folder}/{name}")
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(tensorboard.Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return sorted(found, key=lambda event: event.wall_time)


def scalars(job: TrainingJob) -> set[tuple[str, int]]:
    return {(value.tag, event.step) for event in events(job) for value in event.summary.value}


def test_tensorboard_holds_the_course_of_a_training(job: TrainingJob) -> None:
    run_training(job)
    assert {("validation/bleu", 4), ("validation/bleu", 8)} <= scalars(job)
    assert {
        (name, 8)
        for name in ("train/loss", "train/learning_rate", "train/gradient_norm", "memory/peak_gib")
    } <= scalars(job)


def test_a_resume_purges_the_points_beyond_its_checkpoint(job: TrainingJob) -> None:
    run_training(replace(job, stop_at_step=4))
    run_training(job)
    start = tensorboard.SessionLog.START
    assert [e.step for e in events(job) if e.session_log.status == start] == [1, 5]


def test_a_validation_made_up_for_is_recorded_though_no_step_is_left(job: TrainingJob) -> None:
    class StopInLastValidation(NoNotice):
        @override
        def wants_stop(self, step: int) -> bool:
            return step == 8

    run_training(job, notice=StopInLastValidation())
    assert ("validation/bleu", 8) not in scalars(job)
    run_training(job)
    assert ("validation/bleu", 8) in scalars(job)


def test_a_worker_that_is_not_the_first_writes_nothing(job: TrainingJob) -> None:
    tracking = Tracking()
    with tracking.recording(with_settings(job, mlflow=True), 0, enabled=False):
        tracking.metrics(1, {"train/loss": 1.0})
    assert not job.storage.exists(job.folder)


def test_an_object_store_gets_the_events(job: TrainingJob, s3_url: str) -> None:
    remote = replace(job, storage=Storage(s3_url))
    with remote.storage.commit(job.data) as folder:
        prepare(job.config.data, job.config.seed, folder)
    run_training(remote)
    assert ("validation/bleu", 8) in scalars(remote)


def test_a_resumed_training_goes_on_in_its_mlflow_run(job: TrainingJob) -> None:
    pytest.importorskip("mlflow", reason="extra tracking")
    from mlflow.tracking import MlflowClient

    tracked = with_settings(job, mlflow=True)
    run_training(replace(tracked, stop_at_step=4))
    run_training(tracked)
    client = MlflowClient(f"sqlite:///{job.storage.locate(layout.MLFLOW_DATABASE)}")
    experiment = client.get_experiment_by_name("nmt")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(run.info.run_id, "validation/bleu")
    assert [point.step for point in history] == [4, 8]
    assert run.info.status == "FINISHED"
    assert run.data.params["training.max_steps"] == "8"
    assert run.data.tags["run"] == "small"


def test_a_tracking_server_that_is_gone_warns_once_and_training_ends_well(
    job: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow", reason="extra tracking")
    outcome = run_training(with_settings(job, mlflow=True, mlflow_uri="http://127.0.0.1:9"))
    assert outcome.finished
    assert sum("tracking.mlflow" in record.message for record in caplog.records) == 1


def test_credentials_in_the_uri_are_refused(config: Config) -> None:
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_PASSWORD"):
        config.with_overrides({"tracking.mlflow_uri": "https://me:secret@mlflow.example"})
