"""Where the course of a training is recorded."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from nmt.config.section import Section


class TrackingConfig(Section):
    """Records of a training's course; they change nothing in what it makes."""

    tensorboard: bool = True
    """Write TensorBoard events into the step's folder."""
    mlflow: bool = False
    """Record each training as an MLflow run; takes the extra `tracking`."""
    mlflow_uri: str | None = None
    """MLflow's store or server; unset: the file `mlflow.db` in the storage root."""
    experiment: str = Field(default="nmt", min_length=1)
    """MLflow experiment of the runs."""

    @field_validator("mlflow_uri")
    @classmethod
    def _no_credentials(cls, uri: str | None) -> str | None:
        if uri is not None and "@" in urlsplit(uri).netloc:
            raise ValueError(
                "the URI holds credentials, which would end up in logs and records: put them into "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return uri
