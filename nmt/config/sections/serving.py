"""Settings of the translation endpoint."""

from typing import Self

from pydantic import Field, model_validator

from nmt.config.section import PositiveInt, Section


class ServingConfig(Section):
    """The translation endpoint."""

    name: str = Field(default="default", pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")
    """Name of the traffic pointer that the endpoint follows."""
    host: str = "127.0.0.1"
    """Address the endpoint listens on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port the endpoint listens on; 0 picks a free one."""
    poll_seconds: float = Field(default=2.0, gt=0)
    """Time between two looks at the traffic pointer."""
    min_replicas: PositiveInt = 1
    """Least replicas of the translator."""
    max_replicas: PositiveInt = 2
    """Most replicas of the translator."""
    target_requests: PositiveInt = 16
    """Requests in work that a replica should have; more bring another replica."""
    upscale_delay_seconds: float = Field(default=10.0, ge=0)
    """Time the load must be high before a replica is added."""
    downscale_delay_seconds: float = Field(default=300.0, ge=0)
    """Time the load must be low before a replica goes."""
    gateway_replicas: PositiveInt = 1
    """Replicas of the HTTP part; a second one lets one die."""
    cpus_per_replica: float = Field(default=1, gt=0)
    """CPUs each translator replica reserves; also its number of threads."""
    gpus_per_replica: float = Field(default=0, ge=0)
    """GPUs each translator replica reserves."""
    beam_size: int = Field(default=1, ge=1, le=16)
    """Beams; 1 is greedy."""
    max_batch_tokens: PositiveInt = 1024
    """Padded source tokens translated together."""
    max_queued_tokens: PositiveInt = 65_536
    """Source tokens waiting in a replica before it answers 503."""
    max_texts: PositiveInt = 128
    """Texts in one request."""
    max_characters: PositiveInt = 20_000
    """Characters in one request, over all its texts."""
    request_timeout_seconds: float = Field(default=30.0, gt=0)
    """Time after which a request is answered 504."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"min_replicas ({self.min_replicas}) must not be above "
                f"max_replicas ({self.max_replicas})"
            )
        return self
