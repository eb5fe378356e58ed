"""Settings of the experiment trackers."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from nmt.config.section import Section, secret_error


class TrackingConfig(Section):
    """Where the progress of a training is recorded; the result does not depend on it."""

    tensorboard: bool = True
    """Write TensorBoard events to the folder of the step."""
    mlflow: bool = False
    """Record each training as an MLflow run; needs the extra `tracking`."""
    mlflow_uri: str | None = None
    """Store or server of MLflow; unset: the file `mlflow.db` in the storage root."""
    experiment: str = Field(default="nmt", min_length=1)
    """Name of the MLflow experiment."""

    @field_validator("mlflow_uri")
    @classmethod
    def _no_credentials(cls, uri: str | None) -> str | None:
        # The part before the host may be `user:password@`.
        if uri is not None and "@" in urlsplit(uri).netloc:
            raise secret_error(
                "the URI contains credentials, which would appear in logs and records: put them "
                "into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return uri
